import { type Report, fieldOf } from './catalogue-report.ts'
import type { Position, YamlDocument } from './yaml-document.ts'

export type Problem = { position: Position; message: string }

/** More at a time nobody mends. */
const MOST_TOLD = 20

/** Gathers what is wrong with a file, each with its place. */
export function createProblems(yaml: Pick<YamlDocument, 'positionOf'>) {
  const all: Problem[] = []
  const add = (problem: Problem) => void all.push(problem)
  const report: Report = (path, message) =>
    add({ position: yaml.positionOf(path), message: `${fieldOf(path)}${message}` })
  return { all, add, report }
}

/** A line for each, from the top of the file on, and how many more there are. */
export function linesOf(problems: readonly Problem[], file: string): string[] {
  const lines = problems
    .toSorted(({ position: one }, { position: other }) => one.line - other.line || one.column - other.column)
    .map(({ position: { line, column }, message }) => `${file}:${line}:${column}: ${message}`)
  const more = lines.length - MOST_TOLD
  return more <= 0 ? lines : [...lines.slice(0, MOST_TOLD), `and ${more} more`]
}
