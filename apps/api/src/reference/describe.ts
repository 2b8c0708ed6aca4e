import { z } from 'zod'
import { ErrorBody } from '../answer-schemas.ts'
import { examples } from './examples.ts'
import {
  type Headers,
  type Parameter,
  always,
  asked,
  onAccepted,
  onBusy,
  onCompletions,
  onFailure,
  version,
} from './headers.ts'

type Content = Record<string, { schema?: object; examples?: object }>
type Answer = { description: string; content?: Content; headers?: Headers }
type Operation = {
  parameters?: (Parameter | object)[]
  requestBody?: { content: Content }
  responses?: Record<string, Answer>
}
type Document = { paths?: Record<string, Record<string, Operation | undefined> | undefined> }

const creating = new Set(['/v1/chat/completions', '/v1/messages'])

/** Adds to a document made from the schemas what they do not tell: headers, streams, examples. */
export function described<Given extends object>(document: Given): Given {
  for (const [path, operations] of Object.entries((document as Document).paths ?? {}))
    for (const [method, operation] of Object.entries(operations ?? {})) if (operation) describe(path, method, operation)
  return document
}

function describe(path: string, method: string, operation: Operation): void {
  const creates = method === 'post' && creating.has(path)
  const responses = (operation.responses ??= {})
  addFailures(responses)
  for (const [status, answer] of Object.entries(responses)) answer.headers = headersOf(status, creates)
  if (path.startsWith('/v1/messages') || path.startsWith('/v1/models')) (operation.parameters ??= []).push(version)
  if (creates) (operation.parameters ??= []).push(...asked)
  if (creates || path.endsWith('/stream')) streams(operation)
  const body = method === 'post' && operation.requestBody?.content['application/json']
  if (body && examples[path]) body.examples = examples[path]
}

const anyFailure: Answer = {
  description: 'A failure',
  content: { 'application/json': { schema: z.toJSONSchema(ErrorBody, { io: 'input' }) } },
}

/** Whatever is asked for may be refused, and may fail, in the envelope of its API. */
function addFailures(responses: Record<string, Answer>): void {
  const known = responses['4XX'] ?? responses['5XX'] ?? anyFailure
  for (const status of ['4XX', '5XX']) responses[status] ??= { ...known }
}

function headersOf(status: string, creates: boolean): Headers {
  return {
    ...always,
    ...(creates && onCompletions),
    ...(status === '202' && onAccepted),
    ...(/^[45]/.test(status) && { ...onBusy, ...onFailure }),
  }
}

const eventStream: Content = {
  'text/event-stream': {
    schema: {
      type: 'string',
      description: "Server-sent events, numbered by their `id`, in the words of the path's API",
    },
  },
}

function streams({ responses = {} }: Operation): void {
  const answer = (responses['200'] ??= { description: 'The stream', headers: headersOf('200', false) })
  answer.content = { ...answer.content, ...eventStream }
}
