import { quoted, visible } from './quoted.ts'

/** Every place where what is shown is not what was signed, a sentence each. */
export function differencesBetween(shown: unknown, signed: unknown, path = ''): string[] {
  if (isObject(shown) && isObject(signed) && Array.isArray(shown) === Array.isArray(signed)) {
    const names = new Set([...Object.keys(signed), ...Object.keys(shown)])
    return [...names].flatMap((name) =>
      differencesBetween(own(shown, name), own(signed, name), stepTo(path, name, signed)),
    )
  }
  if (shown === signed) return []
  return [`${visible(path)} was changed: it shows ${quoted(shown)}, and ${quoted(signed)} is what was signed.`]
}

/**
 * Fields that stand twice in one object: a person reads the first, programs the last. Every string before a colon is a
 * name, and a parsed object has each name once.
 */
export function hasRepeatedNames(json: string): boolean {
  const written = [...json.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)].filter(([, colon]) => colon !== undefined).length
  return written !== namesIn(JSON.parse(json))
}

function namesIn(value: unknown): number {
  if (!isObject(value)) return 0
  const own = Array.isArray(value) ? 0 : Object.keys(value).length
  return Object.values(value).reduce((sum: number, inner) => sum + namesIn(inner), own)
}

type Plain = Record<string, unknown>

const isObject = (value: unknown): value is Plain => typeof value === 'object' && value !== null

const own = (value: Plain, name: string): unknown => (Object.hasOwn(value, name) ? value[name] : undefined)

const stepTo = (path: string, name: string, parent: Plain): string =>
  Array.isArray(parent) ? `${path}[${name}]` : path === '' ? name : `${path}.${name}`
