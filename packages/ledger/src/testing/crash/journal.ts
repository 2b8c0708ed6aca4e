import { openSync, writeSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { AmendVerdict, Amendment } from '../../amendments.ts'
import type { Operation } from '../../operations.ts'
import type { Verdict } from '../lanes.ts'

export type NamedAmendment = Amendment & { reference: string }

/** One thing that was asked for, and what was told. Without `told`, nobody ever knew. */
export type Asked =
  | { operation: Operation; told?: Verdict | undefined }
  | { amendment: NamedAmendment; told?: AmendVerdict | undefined }

/** What one client noted: in the order of asking, with the failures of batches that it met on the way. */
export type Journal = { asked: Asked[]; failures: string[] }

export type Notes = {
  /** Notes what is about to be sent, and returns where its answer is to be noted. */
  asked(asked: Asked): number
  told(at: number, told: Verdict | AmendVerdict): void
  failed(error: unknown): void
}

type Line = { asked: Asked } | { told: Verdict | AmendVerdict; at: number } | { failure: string }

/** Notes into memory. */
export function notesIn(journal: Journal): Notes {
  return {
    asked: (asked) => journal.asked.push(asked) - 1,
    told: (at, told) => void (journal.asked[at]!.told = told as never),
    failed: (error) => void journal.failures.push(failureOf(error)),
  }
}

/**
 * Notes into a file. Each is written before the call returns, so a client that is killed has noted what it was about to
 * send and what it had been told; the kernel keeps what the process leaves behind.
 */
export function openJournal(path: string): Notes {
  const file = openSync(path, 'a')
  const write = (line: Line) => void writeSync(file, `${printed(line)}\n`)
  let count = 0
  return {
    asked(asked) {
      write({ asked })
      return count++
    },
    told: (at, told) => write({ told, at }),
    failed: (error) => write({ failure: failureOf(error) }),
  }
}

export async function readJournal(path: string): Promise<Journal> {
  const journal: Journal = { asked: [], failures: [] }
  const notes = notesIn(journal)
  const text = await readFile(path, 'utf8')
  // What stands behind the last line break was cut off in the middle of a note, and so before what it tells of.
  for (const note of text.split('\n').slice(0, -1)) {
    const line = JSON.parse(note, textAsBigint) as Line
    if ('asked' in line) notes.asked(line.asked)
    else if ('failure' in line) journal.failures.push(line.failure)
    else notes.told(line.at, line.told)
  }
  return journal
}

function failureOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string }
  return `${code ?? 'no code'}: ${message}`
}

/** As JSON that has a way to write a bigint: 12n. */
export const printed = (value: unknown): string => JSON.stringify(value, bigintAsText) ?? 'nothing'
const bigintAsText = (_: string, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value)
const textAsBigint = (_: string, value: unknown) =>
  typeof value === 'string' && /^-?\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value
