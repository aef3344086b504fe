// Offers as cards. Dates and times are taken from the text as it came: they are the airports' own, whatever the
// browser's zone. All data goes in as text nodes, so nothing in it can become markup.

/** An element with attributes and children; what is null or false is left out. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(key, value);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value);
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

const count = (number, one, many) => `${number} ${number === 1 ? one : many}`;
const decimal = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });
const hundredths = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** "EUR 1,234.50", with as many places as were sent; a code, for "$" is the sign of twenty currencies. */
function money({ amount, currency }) {
  const [whole, fraction] = amount.split(".");
  return `${currency}\u00a0${whole.replace(/\B(?=(\d{3})+$)/g, ",")}${fraction ? `.${fraction}` : ""}`;
}

function duration(minutes) {
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  return [hours && `${hours}\u00a0h`, (rest || !hours) && `${rest}\u00a0min`].filter(Boolean).join(" ");
}

/** The days since 1970 of the date that a local time begins with. */
const dayNumber = (local) => Date.parse(`${local.slice(0, 10)}T00:00Z`) / 86_400_000;

const calendar = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });

/** "Fri 27 Nov" of a date or a local time. */
const day = (local) => calendar.format(new Date(`${local.slice(0, 10)}T00:00Z`)).replace(",", "");
const clock = (local) => local.slice(11, 16);
const CABINS = { economy: "Economy", premium_economy: "Premium economy", business: "Business", first: "First" };

const stops = (itinerary) =>
  itinerary.segments.length - 1 + itinerary.segments.reduce((sum, segment) => sum + (segment.technical_stops ?? 0), 0);

/** One end of a way: the time, how many days later than the start, the airport. */
function end(local, place, start) {
  const later = dayNumber(local) - dayNumber(start);
  const shift = later === 0 ? null : `${later > 0 ? "+" : "−"}${Math.abs(later)}`;
  return element("div", { class: "end" },
    element("b", {},
      element("time", { datetime: local }, clock(local)),
      shift && element("sup", { title: `${day(local)}` }, ` ${shift}`),
      shift && element("span", { class: "unseen" }, ` on ${day(local)}`)),
    element("small", {}, element("abbr", { title: place.name }, place.iata)));
}

/** One direction at a glance. */
function way(itinerary, label) {
  const { segments } = itinerary;
  const [first, last] = [segments[0], segments[segments.length - 1]];
  const via = segments.slice(1).map((segment) => segment.origin.iata).join(", ");
  const halts = stops(itinerary);
  const numbers = segments.map((segment) => `${segment.carrier.iata}\u00a0${segment.flight_number}`).join(", ");
  return element("div", { class: "way" },
    element("p", { class: "day" }, `${label}${day(first.departs_at)} · ${numbers}`),
    element("div", { class: "times" },
      end(first.departs_at, first.origin, first.departs_at),
      element("div", { class: "path", "data-duration": duration(itinerary.duration_minutes) },
        element("span", { class: "unseen" }, `${duration(itinerary.duration_minutes)}, `),
        halts === 0 ? "Nonstop" : `${count(halts, "stop", "stops")}${via && ` · ${via}`}`),
      end(last.arrives_at, last.destination, first.departs_at)));
}

/** One direction, flight by flight, with the waits between. */
function legs(itinerary, heading) {
  let previous = null;
  const rows = itinerary.segments.map((segment) => {
    const wait = previous && Math.round((Date.parse(segment.departs_at) - Date.parse(previous.arrives_at)) / 60_000);
    previous = segment;
    return element("li", {},
      wait !== null && element("small", {}, `${duration(wait)} in ${segment.origin.name}`),
      `${day(segment.departs_at)}, ${clock(segment.departs_at)} ${segment.origin.name} (${segment.origin.iata}) – `,
      `${clock(segment.arrives_at)} ${segment.destination.name} (${segment.destination.iata})`,
      element("small", {},
        `${segment.carrier.name} ${segment.carrier.iata}\u00a0${segment.flight_number}`,
        segment.operated_by ? `, flown by ${segment.operated_by.name}` : "",
        ` · ${duration(segment.duration_minutes)}`,
        segment.aircraft && ` · ${segment.aircraft}`,
        segment.cabin && ` · ${CABINS[segment.cabin] ?? segment.cabin}`,
        segment.technical_stops ? ` · ${count(segment.technical_stops, "stop", "stops")} on the way` : ""));
  });
  return [element("h3", {}, heading), element("ol", { class: "legs" }, rows)];
}

const TERMS = {
  price: "Price per traveller",
  hours: "Time on the way",
  stops: "Stops",
  airline_changes: "Airline changes",
  hours_early: "Earlier than wished",
  hours_late: "Later than wished",
};

/** "6 h 10 min × 15", "2 × 65"; nothing for the price, which is itself. */
function working({ name, quantity, weight }) {
  if (name === "price") return "";
  const much = name.startsWith("hours") ? duration(Math.round(quantity * 60)) : decimal.format(quantity);
  return `${much} × ${decimal.format(weight)}`;
}

/** How the cost that ranks an offer adds up. */
function costTable(offer) {
  const { currency } = offer.total_price;
  const rows = offer.cost.terms.map((term) =>
    element("tr", {},
      element("th", { scope: "row" }, TERMS[term.name] ?? term.name),
      element("td", {}, working(term)),
      element("td", {}, hundredths.format(term.amount))));
  return element("table", {},
    element("caption", {}, `How its cost adds up, in ${currency} per traveller`),
    element("tbody", {}, rows),
    element("tfoot", {},
      element("tr", {},
        element("th", { scope: "row" }, "Cost it is ranked by"),
        element("td"),
        element("td", {}, hundredths.format(offer.cost.total)))));
}

/** What the directions are called: "Out" and "Back", or where each flight goes where they lead over several cities. */
function directions(itineraries) {
  const ends = itineraries.map(({ segments }) => [segments[0].origin, segments[segments.length - 1].destination]);
  if (ends.length === 1) return [""];
  const [[from, to], [again, home]] = ends;
  const there = (one, other) => one.iata === other.iata || one.name === other.name;
  return ends.length === 2 && there(to, again) && there(from, home)
    ? ["Out", "Back"]
    : ends.map(([start, finish]) => `${start.name} to ${finish.name}`);
}

const ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"];

/** The card of an offer; `ask` is called with the words of a person who wants to know more about it. */
function offerCard(offer, ask) {
  const names = directions(offer.itineraries);
  const carriers = [...new Set(offer.itineraries.flatMap((itinerary) => itinerary.segments.map((segment) => segment.carrier.name)))];
  const title = element("h2", { id: unique("offer") },
    element("span", { class: "rank" }, `${offer.rank}. `), carriers.join(", "));
  const total = money(offer.total_price);
  const each = money(offer.price_per_traveller);
  const ordinal = ORDINALS[offer.rank - 1];
  const words = ordinal ? `The ${ordinal} one` : `Number ${offer.rank}`;
  const labels = [
    offer.rank === 1 && element("li", { class: "best" }, "Best for time and money"),
    offer.sample && element("li", { class: "sample" }, "Sample data, not for sale"),
    offer.cabin && element("li", {}, CABINS[offer.cabin] ?? offer.cabin),
    offer.airline_changes > 0 && element("li", {}, count(offer.airline_changes, "airline change", "airline changes")),
    !offer.sample && element("li", {}, `From ${offer.provider}`),
  ];
  return element("li", {},
    element("article", { class: offer.rank === 1 ? "offer best" : "offer", "aria-labelledby": title.id },
      element("header", {},
        title,
        element("p", { class: "price" },
          element("strong", {}, total),
          element("small", {}, each === total ? "in total" : `in total, ${each} each`))),
      element("ul", { class: "labels" }, labels),
      element("div", { class: "ways" },
        offer.itineraries.map((itinerary, index) => way(itinerary, names[index] && `${names[index]} · `))),
      fareList(offer),
      element("details", {},
        element("summary", {}, "Flights and ranking"),
        offer.itineraries.map((itinerary, index) => legs(itinerary, names[index] || "Flights")),
        costTable(offer),
        offer.dominated && element("p", { class: "note" }, "Another offer is no worse in price, time and stops, and better in one of them."),
        offer.expires_at && element("p", { class: "note" }, `The price holds until ${offer.expires_at.slice(0, 16).replace("T", " ")} UTC.`),
        element("button", { type: "button", class: "quiet ask", click: () => ask(words) },
          "Ask about this one", element("span", { class: "unseen" }, ` (${words.toLowerCase()})`)),
        !offer.sample && element("button", { type: "button", class: "quiet ask", click: () => ask(`Book ${words[0].toLowerCase()}${words.slice(1)}`) },
          "Book this one", element("span", { class: "unseen" }, ` (${words.toLowerCase()})`)))));
}

const SHOWN_AT_FIRST = 5;

/** The cards of a reply, the best first; many of them only when asked for. */
function offerList(offers, ask) {
  const cards = offers.map((offer) => offerCard(offer, ask));
  // The words of the reply are read out; so many cards are not, they wait to be visited.
  const list = element("ol", { class: "offers", "aria-live": "off", "aria-label": "Flights, the best first" }, cards.slice(0, SHOWN_AT_FIRST));
  const rest = cards.slice(SHOWN_AT_FIRST);
  if (rest.length === 0) return [list, localTimes()];
  const more = element("button", { type: "button", class: "quiet more", click: () => {
    list.append(...rest);
    more.remove();
    rest[0].querySelector("summary").focus();
  } }, `Show ${rest.length} more`);
  return [list, more, localTimes()];
}

const localTimes = () => element("p", { class: "note" }, "All times are local to their airport.");

let made = 0;
const unique = (stem) => `${stem}-${(made += 1)}`;

/** What is known of the journey, in one line; empty while nothing is. */
function journey(slots) {
  const { origin, destination, departure_date: out, return_date: back, passengers: who } = slots ?? {};
  const place = (known) => `${known.name} (${known.iata})`;
  const people = who && [
    who.adults && count(who.adults, "adult", "adults"),
    who.children && count(who.children, "child", "children"),
    who.infants && count(who.infants, "infant", "infants"),
  ].filter(Boolean).join(", ");
  const legs = (slots?.legs ?? []).map((leg) =>
    `${leg.origin?.name ?? "?"} to ${leg.destination?.name ?? "?"}${leg.date ? `, ${day(leg.date)}` : ""}`);
  return [
    legs.length > 0 ? legs.join(" · ") : origin && destination ? `${place(origin)} to ${place(destination)}`
      : origin ? `from ${place(origin)}` : destination && `to ${place(destination)}`,
    legs.length === 0 && out && (back ? `${day(out)} – ${day(back)}` : day(out)),
    people,
    slots?.cabin && (CABINS[slots.cabin] ?? slots.cabin),
    slots?.airlines?.map((airline) => airline.name).join(", "),
    slots?.max_stops === 0 ? "nonstop" : slots?.max_stops && `at most ${count(slots.max_stops, "stop", "stops")}`,
    slots?.max_price && `up to ${money(slots.max_price)}`,
    slots?.departure_time && `leaving ${slots.departure_time.from} – ${slots.departure_time.to}`,
    slots?.return_time && `back ${slots.return_time.from} – ${slots.return_time.to}`,
  ].filter(Boolean).join(" · ");
}
