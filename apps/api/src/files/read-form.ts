import type { IncomingMessage } from 'node:http'
import type { MultipartFile } from '@fastify/multipart'
import { ServiceError } from '@weir/contracts'
import { checked } from '@weir/dialects'
import type { FastifyRequest } from 'fastify'
import { UploadFields } from './schemas.ts'

/** What an upload may consist of, beside the bytes of its file. */
export const formLimits = {
  files: 1,
  fields: 8,
  parts: 10,
  fieldNameSize: 100,
  fieldSize: 1_024,
  headerPairs: 20,
  // The store counts them.
  fileSize: Infinity,
}

/** Beside its file: what is read ahead of the file, before anybody knows that it is one, counts as well. */
const MOST_BESIDE_BYTES = 524_288

export type SentFile = { filename: string; bytes: AsyncIterable<Buffer> }

/**
 * Reads a form part by part, in whatever order they come: clients send the file before they say what it is for. The file is
 * handed to `take` as it comes; what is left is judged once everything is there. Rejects with what `take` made of the file if
 * that is to be thrown away: `discard` is called first.
 */
export async function readForm<Taken>(
  request: FastifyRequest,
  take: (file: SentFile) => Promise<Taken>,
  discard: (taken: Taken) => Promise<void>,
): Promise<{ taken: Taken; fields: UploadFields }> {
  const sent = new Map<string, string>()
  let file: { taken: Taken } | undefined
  const beside = countBeside(request.raw)
  try {
    for await (const part of asSent(orRefused(request.parts(), beside.tooMuch))) {
      if (part.type === 'file') file = { taken: await beside.without(() => take(sentFileOf(part))) }
      else addTo(sent, part.fieldname, part.value, part.valueTruncated)
    }
    const { value: fields, error } = checked(UploadFields, Object.fromEntries(sent))
    if (error) throw error
    if (!file) throw new ServiceError('invalid_request', "Missing required parameter: 'file'.", { param: 'file' })
    return { taken: file.taken, fields }
  } catch (error) {
    if (file) await discard(file.taken)
    throw error
  } finally {
    beside.end()
    // What nobody reads any more is thrown away, or the next request on this connection would wait behind it.
    request.raw.unpipe().resume()
  }
}

/** The parser tells of a field, or of what is no part at all, only once it has ended: until then this looks at how much it is. */
function countBeside(raw: IncomingMessage) {
  const { promise: tooMuch, reject } = Promise.withResolvers<never>()
  // It may come when nobody waits for a part.
  tooMuch.catch(() => {})
  let bytes = 0
  const count = (piece: Buffer) => {
    bytes += piece.length
    if (bytes > MOST_BESIDE_BYTES) reject(tooMuchBeside())
  }
  raw.on('data', count)
  return {
    tooMuch,
    /** What comes meanwhile is the file itself. */
    async without<T>(act: () => Promise<T>): Promise<T> {
      raw.off('data', count)
      const result = await act()
      raw.on('data', count)
      return result
    },
    end: () => void raw.off('data', count),
  }
}

async function* orRefused<Part>(parts: AsyncIterable<Part>, refusal: Promise<never>): AsyncGenerator<Part> {
  const iterator = parts[Symbol.asyncIterator]()
  for (;;) {
    const { value, done } = await Promise.race([iterator.next(), refusal])
    if (done) return
    yield value
  }
}

const tooMuchBeside = () =>
  new ServiceError('request_too_large', 'The form is too large beside its file: send only the file and what it is for.')

function addTo(sent: Map<string, string>, name: string, value: unknown, isCut: boolean): void {
  const param = name.slice(0, formLimits.fieldNameSize)
  if (name === 'file') {
    const message = "Invalid 'file': send it as a part with a filename, such as 'file=@lines.jsonl' of curl."
    throw new ServiceError('invalid_request', message, { param })
  }
  if (!Object.hasOwn(UploadFields.shape, name))
    throw new ServiceError('unknown_parameter', `Unknown parameter: '${param}'.`, { param })
  if (typeof value !== 'string' || isCut || sent.has(name))
    throw new ServiceError('invalid_request', `Invalid '${param}': send one short text.`, { param })
  sent.set(name, value)
}

const MOST_OF_A_NAME = 255

function sentFileOf({ fieldname, filename, file }: MultipartFile): SentFile {
  if (fieldname !== 'file') {
    const param = fieldname.slice(0, formLimits.fieldNameSize)
    throw new ServiceError('unknown_parameter', `Unknown parameter: '${param}'. Send the file as 'file'.`, { param })
  }
  const name = filename || 'upload'
  if (name.length > MOST_OF_A_NAME || !name.isWellFormed() || /\p{Cc}/u.test(name)) {
    const message = `Invalid 'file': its name must have at most ${MOST_OF_A_NAME} characters, none of them a control character.`
    throw new ServiceError('invalid_request', message, { param: 'file' })
  }
  return { filename: name, bytes: asSent(file) }
}

const limits: Record<string, string> = {
  FST_FILES_LIMIT: 'Send one file at a time.',
  FST_FIELDS_LIMIT: 'The form has too many fields.',
  FST_PARTS_LIMIT: 'The form has too many parts.',
  FST_PROTO_VIOLATION: 'The form has a field with a name that no field may have.',
  FST_INVALID_JSON_FIELD_ERROR: 'A field of the form is not the JSON that it says it is.',
}

/** What the parser says of a form is about what was sent. */
async function* asSent<Part>(parts: AsyncIterable<Part>): AsyncGenerator<Part> {
  try {
    yield* parts
  } catch (error) {
    if (error instanceof ServiceError) throw error
    const known = error instanceof Error && 'code' in error && limits[String(error.code)]
    const message = known || 'The form is not whole: send it as multipart/form-data, with its boundary and to its end.'
    throw new ServiceError('invalid_request', message, { cause: error })
  }
}
