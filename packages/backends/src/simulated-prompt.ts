import type { CompletionRequest, Message } from '@weir/contracts'
import { textOf } from './tokens.ts'

type Messages = CompletionRequest['messages']
export type ToolMessage = Extract<Message, { role: 'tool' }>

/** So much of a prompt is looked at and repeated; what is longer says no more to a stand-in. */
const LOOKED_AT_CHARACTERS = 20_000
const MOST_RESULTS = 16

/** What the client said last, in words. */
export function lastAsked(messages: Messages): string {
  const last = messages.findLast(({ role }) => role === 'user')
  return last ? textOf(last).slice(-LOOKED_AT_CHARACTERS) : ''
}

/** The results of tools that the model has not answered yet. */
export function resultsIn(messages: Messages): ToolMessage[] {
  const answered = messages.findLastIndex(({ role }) => role === 'assistant')
  return messages.slice(answered + 1).filter((message) => message.role === 'tool')
}

/** What is said of the results that came back; nothing when there are none. */
export function noteOfResults(messages: Messages): string {
  return resultsIn(messages)
    .slice(0, MOST_RESULTS)
    .map((result) => noteOfResult(result, messages))
    .join(' ')
}

function noteOfResult(result: ToolMessage, messages: Messages): string {
  const text = textOf(result).slice(0, LOOKED_AT_CHARACTERS).trim()
  const what = result.isError ? 'failed with' : 'answered'
  return `${calledBy(result.callId, messages)} ${what} ${text === '' ? 'nothing' : text}.`
}

function calledBy(callId: string, messages: Messages): string {
  for (const { role, content } of messages) {
    if (role !== 'assistant' || typeof content === 'string') continue
    for (const part of content) if (part.type === 'tool_call' && part.id === callId) return part.name
  }
  return 'the tool'
}

const MOST_KINDS = 8
const LONGEST_KIND_CHARACTERS = 40

/** What is said of everything in a prompt that is no text: how many of what kind. Nothing when there is none. */
export function noteOfMedia(messages: Messages): string {
  const images: string[] = []
  const recordings: string[] = []
  const files: string[] = []
  for (const { content } of messages) {
    if (typeof content === 'string') continue
    for (const part of content) {
      if (part.type === 'image') images.push(kindOf(part.source))
      else if (part.type === 'audio') recordings.push(part.format)
      else if (part.type === 'file') files.push(kindOf(part.source))
    }
  }
  const counted = [counts(images, 'image'), counts(recordings, 'recording'), counts(files, 'file')]
  const seen = counted.filter((each) => each !== '')
  return seen.length === 0 ? '' : `it sees ${seen.join(' and ')}.`
}

const kindOf = (source: { kind: string; mediaType?: string }): string =>
  source.kind === 'base64' ? (source.mediaType ?? '').slice(0, LONGEST_KIND_CHARACTERS) : source.kind

function counts(kinds: string[], what: string): string {
  if (kinds.length === 0) return ''
  const told = [...new Set(kinds)].slice(0, MOST_KINDS).join(', ')
  return `${kinds.length} ${what}${kinds.length === 1 ? '' : 's'} (${told})`
}
