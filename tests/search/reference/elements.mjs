// What a search parameter's expression selects in a resource, with the FHIR type of each element. The engine is
// fhirpath.js; nothing of the server takes part.
import fhirpath from 'fhirpath';
import model from 'fhirpath/fhir-context/r4/index.js';

import { parameterByUrl } from './definitions.mjs';
import { parseReference } from './references.mjs';

let taken = [];
let current;

const options = {
  userInvocationTable: {
    take: {
      fn: (nodes) => {
        taken.push(...nodes);
        return nodes;
      },
      arity: { 0: [] },
      internalStructures: true,
    },
    refersTo: {
      fn: (nodes, type) => nodes.filter((node) => typeOfReference(node.data ?? node) === type),
      arity: { 1: ['String'] },
      internalStructures: true,
    },
  },
};

function typeOfReference(value) {
  const place = parseReference((typeof value === 'string' ? value : value?.reference) ?? '');
  const inner = (current.contained ?? []).find((contained) => contained.id === place?.contained);
  return inner?.resourceType ?? place?.type ?? value?.type;
}

/**
 * The published expressions, as FHIRPath allows them: "as" is for one item, the parameters mean each item of that type;
 * resolve() needs a server, the parameters want only the type that is referred to.
 */
export function runnable(expression) {
  return expression
    .replace(/\bDateTime\b/g, 'dateTime')
    .replace(/\.as\((\w+)\)/g, '.ofType($1)')
    .replace(/\(([\w.]+) as (\w+)\)/g, '$1.ofType($2)')
    .replace(/\.where\(resolve\(\) is (\w+)\)/g, ".refersTo('$1')");
}

const programs = new Map();

/** The branches of a union, evaluated apart: its removal of duplicates refuses a Quantity with a comparator. */
export function branchesOf(expression) {
  const branches = [''];
  let depth = 0;
  for (const letter of expression) {
    if (letter === '(') depth += 1;
    if (letter === ')') depth -= 1;
    if (letter === '|' && depth === 0) branches.push('');
    else branches[branches.length - 1] += letter;
  }
  return branches.map((branch) => branch.trim());
}

function run(expression, resource) {
  if (!programs.has(expression)) programs.set(expression, fhirpath.compile(`(${expression}).take()`, model, options));
  taken = [];
  current = resource;
  programs.get(expression)(resource, { resource });
  return taken.map(elementOf).filter((element) => element.value !== undefined && element.value !== null);
}

const runAll = (expression, resource) => branchesOf(runnable(expression)).flatMap((branch) => run(branch, resource));

function elementOf(node) {
  if (node === null || typeof node !== 'object' || !('data' in node))
    return { type: typeof node, value: node, path: '' };
  const type = node.fhirNodeDataType ?? '';
  return {
    // Resource.id is a System.String for the engine; in R4 it is an id.
    type: type === 'System.String' ? 'id' : type,
    // Numbers come wrapped.
    value: node.data?.asStr === undefined ? node.data : Number(node.data.asStr),
    path: node.parentResNode ? `${node.parentResNode.path}.${node.propName}` : '',
  };
}

const TEXTS = ['string', 'markdown'];
const URIS = ['uri', 'url', 'canonical', 'oid', 'uuid'];
const READABLE = {
  date: ['date', 'dateTime', 'instant', 'Period', 'Timing'],
  number: ['decimal', 'integer', 'positiveInt', 'unsignedInt'],
  quantity: ['Quantity', 'SimpleQuantity', 'Age', 'Count', 'Distance', 'Duration', 'Money', 'Range'],
  string: ['Address', 'HumanName', ...TEXTS],
  token: ['CodeableConcept', 'Coding', 'ContactPoint', 'Identifier', 'boolean', 'code', 'id', ...TEXTS, ...URIS],
  uri: URIS,
};

/** Whether a parameter of that type can be searched on an element of that type (the cross-map of 3.1.1.9). */
function isReadable(type, element) {
  if (type === 'reference')
    return element.type === 'Reference' || URIS.includes(element.type) || element.value.resourceType;
  return READABLE[type]?.includes(element.type);
}

const cache = new WeakMap();

function cached(resource, key, make) {
  if (!cache.has(resource)) cache.set(resource, new Map());
  const known = cache.get(resource);
  if (!known.has(key)) known.set(key, make());
  return known.get(key);
}

/** Elements of `resource` that feed `parameter`: [{ type, value, path }]. A primitive that has only extensions is none. */
export function elementsOf(resource, parameter) {
  if (!parameter.expression) return [];
  return cached(resource, parameter.url, () =>
    runAll(parameter.expression, resource).filter((element) => isReadable(parameter.type, element)),
  );
}

/** For a composite: one row per element of its expression, each with the elements of the components. */
export function rowsOf(resource, parameter) {
  return cached(resource, parameter.url, () =>
    branchesOf(runnable(parameter.expression)).flatMap((base) =>
      run(base, resource).map((_, index) =>
        parameter.component.map(({ definition, expression }) => {
          const { type } = parameterByUrl(definition);
          return branchesOf(runnable(expression))
            .flatMap((branch) => run(`(${base})[${index}].select(${branch})`, resource))
            .filter((element) => isReadable(type, element));
        }),
      ),
    ),
  );
}
