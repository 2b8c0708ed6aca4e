import { Readable } from 'node:stream'
import { ServiceError } from '@weir/contracts'
import type { FileRecord, FileStore } from '@weir/store'
import { create as contentDisposition } from 'content-disposition'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { ErrorBody } from '../answer-schemas.ts'
import { type ByteRange, byteRangeOf } from './byte-range.ts'
import { FileParams } from './schemas.ts'
import { foundFile } from './show-files.ts'
import type { Transfers } from './transfers.ts'

export type ContentDeps = {
  files: Pick<FileStore, 'find' | 'read'>
  /** A reader that takes nothing for so long is cut off. */
  eventStream: { stallMs: number }
}

const bytes = { content: { 'application/octet-stream': { schema: z.string().meta({ format: 'binary' }) } } }

/** GET /v1/files/{id}/content: its bytes, or a range of them, read from Postgres as the reader takes them. */
export function fileContent({ files, eventStream }: ContentDeps, transfers: Transfers) {
  return async (app: FastifyInstance) => {
    app.withTypeProvider<ZodTypeProvider>().route({
      // With a HEAD of its own: the one that Fastify adds would read the whole file to say nothing.
      method: ['GET', 'HEAD'],
      url: '/v1/files/:id/content',
      schema: {
        summary: 'Download a file',
        description: 'The bytes as they were sent; with `Range: bytes=…` one part of them.',
        tags: ['files'],
        security: [{ apiKey: [] }],
        params: FileParams,
        response: { 200: bytes, 206: bytes, '4xx': ErrorBody, '5xx': ErrorBody },
      },
      async handler({ identity, method, params: { id }, headers, log }, reply) {
        const file = await foundFile(files, identity.accountId, id)
        const range = method === 'GET' ? satisfiable(headers.range, file, reply) : undefined
        const { start, end } = range ?? { start: 0, end: file.bytes }
        if (method === 'HEAD' || start === end) return describe(reply, file, range).send('')

        endWith(reply, transfers.begin(identity.accountId))
        reply.raw.setTimeout(eventStream.stallMs, () => {
          log.warn({ file: id }, 'file was not taken')
          reply.raw.destroy()
        })
        // A stream is sent as it is; the schema speaks of what is in it.
        const content = Readable.from(files.read(id, { start, end }), { highWaterMark: 1 }) as unknown as string
        return describe(reply, file, range).send(content)
      },
    })
  }
}

function satisfiable(header: string | undefined, { bytes }: FileRecord, reply: FastifyReply): ByteRange | undefined {
  const range = byteRangeOf(header, bytes)
  if (range !== 'unsatisfiable') return range
  reply.header('content-range', `bytes */${bytes}`)
  throw new ServiceError('range_not_satisfiable', `The file has no such range: it has ${bytes} bytes.`, {
    param: 'range',
  })
}

function describe<Reply extends FastifyReply>(reply: Reply, file: FileRecord, range: ByteRange | undefined): Reply {
  if (range) reply.code(206).header('content-range', `bytes ${range.start}-${range.end - 1}/${file.bytes}`)
  return reply.headers({
    'content-type': 'application/octet-stream',
    'content-length': range ? range.end - range.start : file.bytes,
    'content-disposition': contentDisposition(file.filename),
    'accept-ranges': 'bytes',
    // Whatever is in it, no browser shows it as ours.
    'x-content-type-options': 'nosniff',
  }) as Reply
}

function endWith({ raw }: FastifyReply, transfer: Disposable): void {
  if (raw.closed) transfer[Symbol.dispose]()
  else raw.once('close', () => transfer[Symbol.dispose]())
}
