// What days cost: a table whose days are buttons that ask for that day.

/** A line of the words that tells what a day costs, which the table takes the place of. */
const DAY_LINE = /^– [A-Z]\w\w \d{1,2} [A-Z]\w\w(, back [^:]+)?: /;

/** The words without the lines that the table shows. */
function withoutDays(reply) {
  if (!reply.calendar?.length) return reply;
  return { ...reply, reply: reply.reply.split("\n").filter((line) => !DAY_LINE.test(line)).join("\n") };
}

const inFull = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });

/** "Thursday 10 December 2026", as a person would write it. */
const named = (date) => inFull.format(new Date(`${date}T00:00Z`)).replace(",", "");

/** The days with their prices, the cheapest marked; `ask` is called with the words of a person who wants that day. */
function calendarTable(days, ask) {
  const priced = days.filter(({ price }) => price);
  const currency = priced[0]?.price.currency;
  const least = Math.min(...priced.filter(({ price }) => price.currency === currency).map(({ price }) => Number(price.amount)));
  const cheapest = priced.find(({ price }) => price.currency === currency && Number(price.amount) === least);
  const back = days.some(({ return_date: date }) => date);
  const row = (one) => element("tr", { class: one === cheapest && "best" },
    element("th", { scope: "row" },
      element("button", { type: "button", class: "quiet", click: () => ask(`leave on ${named(one.date)}`) },
        element("span", { class: "unseen" }, "Show the flights on "), day(one.date))),
    back && element("td", {}, one.return_date && day(one.return_date)),
    element("td", { class: "amount" }, one.price ? money(one.price) : "none found",
      one === cheapest && element("strong", {}, " cheapest")));
  return element("table", { class: "days", "aria-live": "off" },
    element("caption", {}, "The cheapest price by day", days.some(({ sample }) => sample) && " (sample data, not for sale)"),
    element("thead", {}, element("tr", {},
      element("th", { scope: "col" }, "Out"), back && element("th", { scope: "col" }, "Back"), element("th", { scope: "col" }, "Price"))),
    element("tbody", {}, days.map(row)));
}
