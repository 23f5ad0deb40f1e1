// The slow evaluator: looks at every resource for every criterion. Source: FHIR R4 (4.0.1) search.html.
import { compartments, parameterOf, parametersOf, TYPES } from './definitions.mjs';
import { elementsOf } from './elements.mjs';
import { resourceMatches } from './match.mjs';
import { parseCriterion, parseQuery, QueryError } from './parse.mjs';
import { isCanonical, parseCanonical, parseReference, pointsTo } from './references.mjs';
import { sorted } from './sort.mjs';
import { Terminology } from './terminology.mjs';

const NEGATED = { not: '', 'not-in': 'in' };
const HIERARCHY = ['partof', 'part-of'];
export const placeOf = (resource) => `${resource.resourceType}/${resource.id}`;

export class Store {
  /** `now` is in nanoseconds since 1970 (for the prefix ap); `base` is the server's address without final slash. */
  constructor(resources, { base = '', now = BigInt(Date.now()) * 1000000n } = {}) {
    this.resources = new Map(resources.map((resource) => [placeOf(resource), resource]));
    this.containers = new WeakMap();
    for (const resource of resources)
      for (const inner of resource.contained ?? []) this.containers.set(inner, resource);
    this.context = { base, now, terminology: new Terminology(this), isWithin: (...all) => this.isWithin(...all) };
  }

  all() {
    return [...this.resources.values()];
  }

  get(type, id) {
    return this.resources.get(`${type}/${id}`);
  }

  /** { ids, order, total, includes }: places "Type/id"; order is a list of groups whose members are equal. */
  search(query) {
    const parsed = parseQuery(query);
    this.referredTo = new Map(); // what a _has found, for the length of this search
    const found = this.matches(parsed);
    const order = sorted(found, this.rulesOf(parsed, found)).map((group) => group.map(placeOf));
    const includes = this.includesOf(parsed, found).map(placeOf);
    return { ids: found.map(placeOf), order, total: found.length, includes, isCountOnly: parsed.isCountOnly };
  }

  /** What a page that holds these matches must include. */
  includes(query, places) {
    return this.includesOf(parseQuery(query), places.map((place) => this.resources.get(place)).filter(Boolean)).map(
      placeOf,
    );
  }

  matches(parsed) {
    const types = parsed.types ?? [...TYPES];
    const criteria = new Map(
      types.map((type) => [type, parsed.criteria.map(([key, value]) => parseCriterion(type, key, value))]),
    );
    return this.all().filter((resource) => {
      const wanted = criteria.get(resource.resourceType);
      if (!wanted || (parsed.compartment && !this.isInCompartment(resource, parsed.compartment))) return false;
      return wanted.every((criterion) => this.holds(resource, criterion));
    });
  }

  holds(resource, criterion) {
    switch (criterion.kind) {
      case 'missing':
        return (elementsOf(resource, criterion.parameter).length === 0) === criterion.wanted;
      case 'list':
        return criterion.lists.some((id) => this.isListed(resource, id));
      case 'has':
        return this.isReferredTo(resource, criterion);
      case 'chain':
        return this.leadsTo(resource, criterion);
      default: {
        // "the negation applies to the set, not each individual entry" (3.1.1.4.10).
        const positive = NEGATED[criterion.modifier];
        const matches = (modifier) =>
          criterion.values.some((value) =>
            resourceMatches(criterion.parameter, modifier, value, resource, this.context),
          );
        return positive === undefined ? matches(criterion.modifier) : !matches(positive);
      }
    }
  }

  /** The resources of the store, or contained ones, that a reference parameter leads to from `resource`. */
  targets(resource, parameter, type) {
    const found = elementsOf(resource, parameter).flatMap((element) => {
      if (isCanonical(element.type)) return this.withUrl(element.value, parameter);
      const target = pointsTo(element, this.context.base);
      if (target?.nested) return [target.nested];
      if (target?.contained) return this.contained(resource, target.contained);
      return target?.id ? [this.get(target.type, target.id)] : [];
    });
    return [...new Set(found)].filter((one) => one && (!type || one.resourceType === type));
  }

  /** Those that are resources of their own, and not contained in one. */
  stored(resources) {
    return resources.filter((one) => this.get(one.resourceType, one.id) === one);
  }

  withUrl(text, parameter) {
    const { url, version } = parseCanonical(text);
    return this.all().filter(
      (one) =>
        one.url === url && (!version || one.version === version) && (parameter.target ?? []).includes(one.resourceType),
    );
  }

  contained(resource, id) {
    const container = this.containers.get(resource) ?? resource;
    return (container.contained ?? []).filter((inner) => inner.id === id);
  }

  leadsTo(resource, { parameter, target, key, value }) {
    const types = linkedTypes({ parameter, target, key, value });
    if (types.length === 0) throw new QueryError('no target of the chain has the parameter');
    return this.targets(resource, parameter, target).some(
      (one) => types.includes(one.resourceType) && this.holds(one, parseCriterion(one.resourceType, key, value)),
    );
  }

  isReferredTo(resource, { type, reference, key, value }) {
    const name = JSON.stringify([type, reference.code, key, value]);
    if (!this.referredTo.has(name)) {
      const criterion = parseCriterion(type, key, value);
      const sources = this.all().filter((one) => one.resourceType === type && this.holds(one, criterion));
      this.referredTo.set(name, new Set(sources.flatMap((one) => this.stored(this.targets(one, reference)))));
    }
    return this.referredTo.get(name).has(resource);
  }

  isListed(resource, id) {
    return (this.get('List', id)?.entry ?? []).some(({ item }) => {
      const place = parseReference(item?.reference ?? '', this.context.base);
      return place?.type === resource.resourceType && place.id === resource.id;
    });
  }

  isInCompartment(resource, { type, id }) {
    if (resource.resourceType === type && resource.id === id) return true;
    return (compartments[type][resource.resourceType] ?? []).some((code) => {
      const parameter = parameterOf(resource.resourceType, code);
      return (
        parameter &&
        elementsOf(resource, parameter).some((element) => {
          const target = pointsTo(element, this.context.base);
          return target?.type === type && target.id === id;
        })
      );
    });
  }

  /** reference:below=42 - the element's target is 42 or part of it; :above - 42 is part of the target (3.1.1.4.14). */
  isWithin(modifier, wanted, element) {
    const target = pointsTo(element, this.context.base);
    const search = parseReference(wanted, this.context.base);
    if (!target?.id || (search?.type && search.type !== target.type)) return false;
    const id = search?.id ?? wanted;
    const [upper, lower] = modifier === 'below' ? [id, target.id] : [target.id, id];
    const seen = new Set();
    for (let at = this.get(target.type, lower); at && !seen.has(at); at = this.parentOf(at)) {
      if (at.id === upper) return true;
      seen.add(at);
    }
    return upper === lower;
  }

  parentOf(resource) {
    const parameter = HIERARCHY.map((code) => parameterOf(resource.resourceType, code)).find(Boolean);
    return parameter && this.targets(resource, parameter, resource.resourceType)[0];
  }

  includesOf({ includes }, matches) {
    const isMatch = new Set(matches);
    const found = new Set();
    const follow = (resources, rules) => {
      const added = resources.flatMap((resource) => rules.flatMap((rule) => this.included(resource, rule)));
      return [...new Set(added)].filter((one) => !isMatch.has(one) && !found.has(one));
    };
    let latest = follow(matches, includes);
    const iterated = includes.filter((rule) => rule.isIterated);
    while (latest.length > 0) {
      latest.forEach((one) => found.add(one));
      latest = follow(latest, iterated);
    }
    return [...found];
  }

  included(resource, { isReverse, source, code, target }) {
    const reaches = (from, parameter, type) => this.stored(this.targets(from, parameter, type));
    if (!isReverse) {
      if (source && resource.resourceType !== source) return [];
      return referencesOf(resource.resourceType, code).flatMap((parameter) => reaches(resource, parameter, target));
    }
    if (target && resource.resourceType !== target) return [];
    return this.all().filter(
      (one) =>
        (!source || one.resourceType === source) &&
        referencesOf(one.resourceType, code).some((parameter) => reaches(one, parameter).includes(resource)),
    );
  }

  rulesOf({ sort }, found) {
    return sort.map(({ code, down }) => {
      const types = new Set(found.map((resource) => resource.resourceType));
      for (const type of types) if (!parameterOf(type, code)?.expression) throw new QueryError('cannot sort by it');
      const type = [...types].map((one) => parameterOf(one, code).type)[0];
      return { down, type, parameter: (resource) => parameterOf(resource.resourceType, code) };
    });
  }
}

/** The types that a chain may go on to: those that have the parameter, and so to its end. */
function linkedTypes({ parameter, target, key, value }) {
  return (target ? [target] : (parameter.target ?? [...TYPES])).filter((type) => isCriterion(type, key, value));
}

function isCriterion(type, key, value) {
  try {
    const criterion = parseCriterion(type, key, value);
    return criterion.kind !== 'chain' || linkedTypes(criterion).length > 0;
  } catch (problem) {
    if (problem instanceof QueryError) return false;
    throw problem;
  }
}

function referencesOf(type, code) {
  if (code !== '*') return [parameterOf(type, code)].filter(Boolean);
  return [...parametersOf(type).values()].filter((parameter) => parameter.type === 'reference' && parameter.expression);
}
