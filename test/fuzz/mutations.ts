import fc from 'fast-check'

type Path = (string | number)[]

const wrong: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(null, true, false, 0, -1, 1.5, 1e21, '', 'x', '\0', '\ud800', [], {}, [[]], [null], { a: 1 }),
  fc.jsonValue({ maxDepth: 3 }),
)

/** A body with one or two things wrong in it, anywhere: another value, a field less, a field more. It may still be right. */
export const mutated = (valid: fc.Arbitrary<Record<string, unknown>>): fc.Arbitrary<unknown> =>
  fc
    .tuple(
      valid,
      fc.array(fc.tuple(fc.nat(), fc.constantFrom('replace', 'remove', 'add'), wrong), { minLength: 1, maxLength: 2 }),
    )
    .map(([body, changes]) => {
      let changed: unknown = structuredClone(body)
      for (const [where, how, value] of changes) changed = changedAt(changed, where, how, value)
      // As the server will read it.
      return JSON.parse(JSON.stringify(changed)) as unknown
    })

function changedAt(body: unknown, where: number, how: 'replace' | 'remove' | 'add', value: unknown): unknown {
  const paths = pathsIn(body)
  const path = paths[where % paths.length] ?? []
  const key = path.at(-1)
  if (key === undefined) return how === 'replace' ? value : body
  const parent = valueAt(body, path.slice(0, -1)) as Record<string | number, unknown>
  if (how === 'replace') parent[key] = value
  else if (how === 'remove') delete parent[key]
  else if (Array.isArray(parent)) parent.push(value)
  else parent['unknown_field'] = value
  return body
}

function pathsIn(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  const keys = Array.isArray(value) ? [...value.keys()] : Object.keys(value)
  return [path, ...keys.flatMap((key) => pathsIn((value as Record<string | number, unknown>)[key], [...path, key]))]
}

const valueAt = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>((at, key) => (at as Record<string | number, unknown>)[key], value)
