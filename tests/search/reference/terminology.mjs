// The code systems and value sets that lie in the store: for :in, :not-in, :above and :below.
import { parseReference } from './references.mjs';

const BELONGS = ['is-a', 'descendent-of'];

export class Terminology {
  constructor(store) {
    this.store = store;
  }

  resourcesOf(type) {
    return this.store.all().filter((resource) => resource.resourceType === type);
  }

  /** code -> set of its parents, from the hierarchy of concepts and from their property parent or subsumedBy. */
  parentsIn(system) {
    const parents = new Map();
    const walk = (concepts, parent) => {
      for (const concept of concepts ?? []) {
        const above = parents.get(concept.code) ?? new Set();
        if (parent) above.add(parent);
        for (const property of concept.property ?? []) {
          if (['parent', 'subsumedBy'].includes(property.code)) above.add(property.valueCode);
        }
        parents.set(concept.code, above);
        walk(concept.concept, concept.code);
      }
    };
    for (const found of this.resourcesOf('CodeSystem')) if (found.url === system) walk(found.concept);
    return parents;
  }

  /** Whether `upper` subsumes `lower`, itself included. */
  subsumes(system, upper, lower) {
    if (upper === lower) return true;
    const parents = this.parentsIn(system);
    const [waiting, seen] = [[lower], new Set()];
    while (waiting.length > 0) {
      const code = waiting.pop();
      if (seen.has(code)) continue;
      seen.add(code);
      if (code === upper) return true;
      waiting.push(...(parents.get(code) ?? []));
    }
    return false;
  }

  /** A value set by its literal reference, or else by its url; undefined when the store has none. */
  valueSet(name, base) {
    const place = parseReference(name, base);
    if (place?.id) return this.store.get('ValueSet', place.id);
    const [url, version] = name.split('|');
    return this.resourcesOf('ValueSet').find((found) => found.url === url && (!version || found.version === version));
  }

  /** Whether the value set holds the coding; a code without system is in it when any system's is. */
  holds(valueSet, { system, code }, seen = new Set()) {
    if (seen.has(valueSet)) return false;
    const nested = new Set([...seen, valueSet]);
    const matches = (include) => {
      if (include.system && system !== undefined && include.system !== system) return false;
      const sets = (include.valueSet ?? []).map((name) => this.valueSet(name));
      if (!sets.every((set) => set && this.holds(set, { system, code }, nested))) return false;
      if (include.concept) return include.concept.some((concept) => concept.code === code);
      if (include.filter) return include.filter.every((filter) => this.filterMatches(filter, include.system, code));
      return include.system ? this.knows(include.system, code) : sets.length > 0;
    };
    const compose = valueSet.compose;
    if (!compose) return this.isExpanded(valueSet.expansion?.contains, { system, code });
    return (compose.include ?? []).some(matches) && !(compose.exclude ?? []).some(matches);
  }

  isExpanded(contains, { system, code }) {
    return (contains ?? []).some(
      (row) =>
        (row.code === code && (system === undefined || row.system === system)) ||
        this.isExpanded(row.contains, { system, code }),
    );
  }

  filterMatches({ property, op, value }, system, code) {
    if (property === 'concept' && op === 'is-not-a') return !this.subsumes(system, value, code);
    if (property !== 'concept' || !BELONGS.includes(op)) return false;
    return this.subsumes(system, value, code) && (op === 'is-a' || code !== value);
  }

  /** All codes of a system: those it lists, or any when the store has no complete code system of that name. */
  knows(system, code) {
    const complete = this.resourcesOf('CodeSystem').filter(
      (found) => found.url === system && found.content === 'complete',
    );
    return complete.length === 0 || this.parentsIn(system).has(code);
  }
}
