// What the npm package scim2-parse-filter makes of filters: one JSON object a line in, one a line out.
// First line: {"resources": [...]}. Then {"filter": text to parse, "plain": text to judge the resources by, or null}.
"use strict";

const path = require("node:path");
const readline = require("node:readline");
const { parse, filter } = require(path.join(process.argv[2], "node_modules/scim2-parse-filter"));

// Operators first, paths as they were written.
function tree(f) {
  switch (f.op) {
    case "and":
    case "or":
      return [f.op, ...f.filters.map(tree)];
    case "not":
      return ["not", tree(f.filter)];
    case "[]":
      return ["[]", f.attrPath, tree(f.valFilter)];
    case "pr":
      return ["pr", f.attrPath];
    default:
      return [f.op, f.attrPath, f.compValue];
  }
}

let resources;
const answer = (line) => {
  const asked = JSON.parse(line);
  if (asked.resources) {
    resources = asked.resources;
    return;
  }
  const said = {};
  try {
    said.tree = tree(parse(asked.filter));
    if (asked.plain !== null) said.matches = resources.map(filter(parse(asked.plain)));
  } catch (error) {
    said.error = String(error);
  }
  console.log(JSON.stringify(said));
};
readline.createInterface({ input: process.stdin, crlfDelay: Infinity }).on("line", answer);
