// The evaluator as a process: one JSON request per line in, one JSON answer per line out.
//   {"load":[RESOURCE...],"base":URL,"clear":true}  adds resources; clear forgets the others  {"resources":n}
//   {"search":QUERY}                                 {"ids","order","total","includes","isCountOnly"} or {"refused":why}
//   {"includes":QUERY,"matches":["Type/id"...]}      {"includes":[...]}
//   {"queries":n,"seed":n}                           {"queries":[...]}
//   {"feeding":SEED}                                 {"queries":[{"query","place"}...]}
import { createInterface } from 'node:readline';

import { makeFeeding, makeQueries } from '../queries.mjs';
import { QueryError } from './parse.mjs';
import { Store } from './search.mjs';

let resources = new Map();
let store = new Store([]);

function answer(request) {
  if (request.load) {
    if (request.clear) resources = new Map();
    for (const resource of request.load) resources.set(`${resource.resourceType}/${resource.id}`, resource);
    store = new Store([...resources.values()], { base: request.base ?? '' });
    return { resources: resources.size };
  }
  if (request.search !== undefined) return store.search(request.search);
  if (request.includes !== undefined) return { includes: store.includes(request.includes, request.matches) };
  if (request.queries) return { queries: makeQueries(store, request.seed, request.queries) };
  if (request.feeding !== undefined) return { queries: makeFeeding(store, request.feeding) };
  throw new Error('unknown request');
}

for await (const line of createInterface({ input: process.stdin })) {
  let said;
  try {
    said = answer(JSON.parse(line));
  } catch (problem) {
    if (!(problem instanceof QueryError)) throw problem;
    said = { refused: problem.message };
  }
  process.stdout.write(`${JSON.stringify(said)}\n`);
}
