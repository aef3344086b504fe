// What a fare includes and allows, and the way to where it is booked. What the provider does not tell is left out: it is unknown,
// not "none".

/** "1 checked bag of 23 kg", "no checked bag", "30 kg checked". */
function allowance({ pieces, kilograms }, name) {
  const weight = kilograms ? ` of ${kilograms}\u00a0kg` : "";
  if (pieces === 0) return `no ${name}`;
  return pieces ? `${count(pieces, name, `${name}s`)}${weight}` : `${kilograms}\u00a0kg of ${name}s`;
}

/** "refund for GBP 130.00", "not refundable". */
function condition({ allowed, penalty }, what, not) {
  if (!allowed) return not;
  if (!penalty) return `${what} allowed`;
  return Number(penalty.amount) === 0 ? `${what} free` : `${what} for ${money(penalty)}`;
}

/** All that is told of an offer's fare, as lines of a list. */
function fareFacts({ fare = {}, co2_kg: kilograms }) {
  const bags = [
    fare.checked_bags && allowance(fare.checked_bags, "checked bag"),
    fare.carry_on && allowance(fare.carry_on, "carry-on bag"),
  ].filter(Boolean);
  const until = (moment) => `${moment.slice(0, 16).replace("T", " ")} UTC`;
  const hold = fare.hold && (fare.hold.possible ? "can be held" : "paid when booked");
  const price = fare.hold?.price_until && `, price guaranteed until ${until(fare.hold.price_until)}`;
  const ticket = fare.hold?.ticket_by && `, ticket until ${day(fare.hold.ticket_by)}`;
  return [
    bags.length > 0 && `Each traveller: ${bags.join(", ")}`,
    fare.extra_bag && `One more checked bag: ${money(fare.extra_bag)}`,
    fare.refund && condition(fare.refund, "Refund", "Not refundable"),
    fare.change && condition(fare.change, "Change", "Not changeable"),
    hold && `${hold[0].toUpperCase()}${hold.slice(1)}${price || ""}${ticket || ""}`,
    kilograms && `About ${decimal.format(kilograms)}\u00a0kg of CO₂ in all`,
  ].filter(Boolean);
}

/** The facts of a card; nothing where none is known. */
function fareList(offer) {
  const facts = fareFacts(offer);
  return facts.length > 0 && element("ul", { class: "fare", "aria-label": "What the fare includes" },
    facts.map((fact) => element("li", {}, fact)));
}

/** The way to where an offer is booked: only ever to an https address, which learns nothing of this page. */
function bookingLink({ url, is_checkout: isCheckout }) {
  let host = "";
  try {
    const address = new URL(url);
    if (address.protocol !== "https:") return null;
    host = address.hostname.replace(/^www\./, "");
  } catch {
    return null;
  }
  return element("p", {},
    element("a", { class: "book", href: url, target: "_blank", rel: "noopener noreferrer" },
      isCheckout ? "Continue to book" : `Continue to ${host}`,
      element("span", { class: "unseen" }, " (opens in a new tab)")));
}
