import type { z } from 'zod'
import type { Path } from './yaml-document.ts'

/** Something an operator has to mend, and the field it is about. */
export type Report = (path: Path, message: string) => void

/** What a schema makes of a value; undefined after reporting each field that is wrong. */
export function parsed<T>(schema: z.ZodType<T>, value: unknown, path: Path, report: Report): T | undefined {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  for (const issue of result.error.issues) {
    const at = [...path, ...issue.path]
    if (issue.code !== 'unrecognized_keys') report(at, issue.message)
    else for (const key of issue.keys) report([...at, key], 'is not a field that is known here')
  }
  return undefined
}

/** A field as a person would name it, to stand before what is wrong with it. */
export function fieldOf(path: Path): string {
  const field = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('')
  return field && `${field.replace(/^\./, '')}: `
}
