import { type FileId, type Microcredits, batchPriceOf } from '@weir/contracts'
import type { Batch, BatchError, BatchItems, BatchWork, NewItem } from '@weir/store'
import { mostCostOf } from '../quote.ts'
import { linesOf } from './lines-of.ts'
import { inputGone, isInputGone } from './read-items.ts'
import { type ReadLineDeps, readLine } from './read-line.ts'
import { createSlices } from './slices.ts'
import { widestContextOf } from '../admit.ts'

export type ValidateDeps = ReadLineDeps & {
  files: { read(id: FileId): AsyncIterable<Uint8Array> }
  work: Pick<BatchWork, 'holds' | 'begin' | 'refuse'>
  items: Pick<BatchItems, 'add'>
  batchLimits: BatchLimits
}

export type BatchLimits = {
  /** Lines of one batch. */
  maxLines: number
  /** Bytes of one line. */
  maxLineBytes: number
}

/** Another worker begins anew where nothing was heard of a validation, or of a finalizing, for so long. */
export const WORK_LEASE_MS = 30_000

/** Told to the client at most; the rest is counted. */
const MOST_ERRORS = 100
const ITEMS_AT_ONCE = 500

/**
 * Reads every line of a batch's input as it would be read as a request. OpenAI's batches run only when all of them are as
 * they should be, and are told of all that are not (platform.openai.com/docs/guides/batch); Anthropic's run the others, and
 * tell of those in their results (docs.anthropic.com/en/docs/build-with-claude/batch-processing).
 */
export async function validateBatch(deps: ValidateDeps, batch: Batch, signal: AbortSignal): Promise<void> {
  try {
    await validate(deps, batch, signal)
  } catch (error) {
    if (!isInputGone(error)) throw error
    await deps.work.refuse(batch.id, [{ ...inputGone, param: 'input_file_id' }])
  }
}

async function validate(deps: ValidateDeps, batch: Batch, signal: AbortSignal): Promise<void> {
  const found = { lines: 0, bad: 0, quote: 0n, errors: [] as BatchError[] }
  const seen = new Set<string>()
  let items: NewItem[] = []
  const rest = createSlices()
  let heldAt = performance.now()

  for await (const line of linesOf(deps.files.read(batch.inputFileId), deps.batchLimits.maxLineBytes)) {
    found.lines++
    if (found.lines > deps.batchLimits.maxLines) {
      await deps.work.refuse(batch.id, [tooManyLines(deps.batchLimits.maxLines)])
      return
    }
    const checked = checkLine(deps, batch, line, seen)
    if (checked.kind === 'good') found.quote += checked.quote
    else note(found, checked.error, line.number)
    const customId = checked.kind === 'good' || batch.dialect === 'anthropic' ? checked.customId : undefined
    if (customId !== undefined && !batch.dryRun)
      items.push({
        line: line.number,
        startByte: line.startByte,
        bytes: line.bytes,
        customId,
        error: checked.kind === 'bad' ? checked.error : undefined,
      })
    const isDue = performance.now() - heldAt > WORK_LEASE_MS / 6
    if (items.length >= ITEMS_AT_ONCE || isDue) {
      heldAt = performance.now()
      await deps.items.add(batch.id, items)
      items = []
      if (signal.aborted || !(await deps.work.holds(batch.id, 'begun', WORK_LEASE_MS))) return
    }
    await rest()
  }
  if (found.lines === 0) note(found, emptyFile, undefined)
  if (found.bad > 0 && (batch.dialect === 'openai' || found.lines === 0)) {
    await deps.work.refuse(batch.id, told(found))
    return
  }
  await deps.items.add(batch.id, items)
  await deps.work.begin(batch.id, { lines: found.lines, bad: found.bad, quote: found.quote })
}

type Found = { bad: number; errors: BatchError[] }

function note(found: Found, error: Omit<BatchError, 'line'>, line: number | undefined): void {
  found.bad++
  if (found.errors.length < MOST_ERRORS) found.errors.push({ ...error, ...(line !== undefined && { line }) })
}

/** All that there is room for, and how many more there are. */
function told({ bad, errors }: Found): BatchError[] {
  const untold = bad - errors.length
  if (untold === 0) return errors
  return [...errors, { code: 'too_many_errors', message: `${untold} more lines are not as they should be.` }]
}

type Checked =
  | { kind: 'good'; customId: string; quote: Microcredits }
  | { kind: 'bad'; customId: string | undefined; error: Omit<BatchError, 'line'> }

function checkLine(
  deps: ValidateDeps,
  batch: Batch,
  { text, isTooLong }: { text: string | undefined; isTooLong: boolean },
  seen: Set<string>,
): Checked {
  if (text === undefined) {
    const error = isTooLong ? tooLongLine(deps.batchLimits.maxLineBytes) : notUtf8
    return { kind: 'bad', customId: undefined, error }
  }
  const read = readLine(deps, batch, text)
  const customId = read.kind === 'line' ? read.line.customId : read.customId
  if (customId !== undefined) {
    if (seen.has(customId)) return { kind: 'bad', customId: undefined, error: duplicate(customId) }
    seen.add(customId)
  }
  if (read.kind === 'bad') return { ...read, customId }
  const { model, request } = read.line
  const price = batchPriceOf(deps.priceOf(model.id))
  return { kind: 'good', customId: read.line.customId, quote: mostCostOf(price, request, widestContextOf(model)) }
}

const emptyFile = { code: 'empty_file', message: 'The input file has no lines.', param: 'input_file_id' }
const notUtf8 = { code: 'invalid_json_line', message: 'This line is not valid UTF-8.' }
const tooLongLine = (most: number) => ({
  code: 'line_too_long',
  message: `This line is too long: a line may have ${most} bytes.`,
})
const tooManyLines = (most: number): BatchError => ({
  code: 'too_many_lines',
  message: `The input file has too many lines: a batch may have ${most}.`,
  param: 'input_file_id',
})
const duplicate = (customId: string) => ({
  code: 'duplicate_custom_id',
  message: `The custom_id '${customId.slice(0, 100).toWellFormed()}' was used on an earlier line: each line needs one of its own.`,
  param: 'custom_id',
})
