// Reads Adaptive Cards, one a line, and writes for each what the library finds wrong with it, as a JSON list.
const cards = require("adaptivecards/dist/adaptivecards.min.js");

function complaints(json) {
  const context = new cards.SerializationContext(cards.Versions.v1_4);
  const card = new cards.AdaptiveCard();
  card.parse(JSON.parse(json), context);
  const said = [];
  for (let i = 0; i < context.eventCount; i++) said.push(context.getEventAt(i).message);
  for (const event of card.validateProperties().validationEvents) said.push(event.message);
  return said;
}

const lines = require("fs").readFileSync(0, "utf8").split("\n").filter(Boolean);
process.stdout.write(lines.map((line) => JSON.stringify(complaints(line))).join("\n") + "\n");
