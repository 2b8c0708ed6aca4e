import { didYouMean, fieldsAt, nearestName, plainWords } from '@weir/runtime'
import { z } from 'zod'
import type { Path } from './yaml-document.ts'

/** Something an operator has to mend, and the field it is about. */
export type Report = (path: Path, message: string) => void

type Issue = z.core.$ZodIssue

/** What a schema makes of a value; undefined after reporting each field that is wrong. */
export function parsed<T>(schema: z.ZodType<T>, value: unknown, path: Path, report: Report): T | undefined {
  const words = plainWords(schema)
  const result = schema.safeParse(value, { error: (issue) => aboutQuotes(issue, words) ?? words(issue) })
  if (result.success) return result.data
  const issues = result.error.issues.flatMap((issue) => meantBy(issue))
  const misspelt = issues.flatMap((issue) => misspeltIn(issue, fieldsAt(schema, issue.path)))
  for (const { at, key, words } of misspelt) report([...path, ...at, key], `is not known here${words}`)
  for (const issue of issues) {
    if (issue.code === 'unrecognized_keys') continue
    // What somebody has misspelt is not missing as well.
    const isMisspelt = misspelt.some(({ at, meant }) => meant !== undefined && isSame([...at, meant], issue.path))
    if (!isMisspelt || !issue.message.startsWith(MISSING)) report([...path, ...issue.path], issue.message)
  }
  return undefined
}

const MISSING = 'is missing'

/** YAML reads `3.5` as a number and "32" as text: what is wrong with those is their quotes. */
function aboutQuotes(issue: z.core.$ZodRawIssue, words: z.core.$ZodErrorMap): string | undefined {
  if (issue.code !== 'invalid_type') return undefined
  const { input, expected } = issue
  if (expected === 'string')
    return /^(number|boolean)$/.test(typeof input) ? 'must be text: put quotes around it' : undefined
  const isQuoted = typeof input === 'string' && (quotable[expected]?.test(input) ?? false)
  const said = isQuoted ? words(issue) : undefined
  return typeof said === 'string' ? `${said}, without quotes` : undefined
}

const quotable: Partial<Record<string, RegExp>> = {
  number: /^[+-]?\d+(\.\d+)?$/,
  int: /^[+-]?\d+$/,
  boolean: /^(true|false)$/,
}

/**
 * The fields of an object that can be read by themselves, once the whole could not: what is wrong with one of them hides
 * nothing of the others.
 */
export function readableFields<Schema extends z.core.$ZodObject>(
  schema: Schema,
  value: unknown,
): Partial<z.output<Schema>> {
  const given = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  const read = Object.entries(schema._zod.def.shape).flatMap(([name, field]) => {
    const result = z.safeParse(field, given[name])
    return result.success && result.data !== undefined ? [[name, result.data] as const] : []
  })
  return Object.fromEntries(read) as Partial<z.output<Schema>>
}

/** Of the alternatives of a union the one whose kind was written, if it was. */
function meantBy(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union') return [issue]
  const meant = issue.errors.find(
    (issues) => !issues.some(({ code, path }) => code === 'invalid_type' && path.length === 0),
  )
  return (meant ?? []).length === 0 ? [issue] : meant!.map((each) => ({ ...each, path: [...issue.path, ...each.path] }))
}

type Misspelt = { at: PropertyKey[]; key: string; meant: string | undefined; words: string }

function misspeltIn(issue: Issue, fields: readonly string[]): Misspelt[] {
  if (issue.code !== 'unrecognized_keys') return []
  return issue.keys.map((key) => {
    // A secret stands in no file: not what it is belongs there, but where it is found.
    const variable = fields.find((field) => field === `${key}_env`)
    const words = variable && `: no secret is written here; name the environment variable that holds it in ${variable}`
    return { at: issue.path, key, meant: variable ?? nearestName(key, fields), words: words ?? didYouMean(key, fields) }
  })
}

/** A field as a person would name it, to stand before what is wrong with it. */
export function fieldOf(path: Path): string {
  const field = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('')
  return field && `${field.replace(/^\./, '')}: `
}

const isSame = (one: Path, other: Path): boolean =>
  one.length === other.length && one.every((step, index) => step === other[index])
