import { z } from 'zod'
import type { CompletionRequest, Message } from './completion-request.ts'

/** What some models can do and others cannot. Text, system messages, stop sequences and sampling are understood by all. */
export const Capability = z.enum([
  'tools',
  'custom_tools',
  'vision',
  'audio',
  'files',
  'json_object',
  'json_schema',
  'reasoning',
  'logprobs',
  'choices',
  'seed',
  'penalties',
  'logit_bias',
  'top_k',
  'verbosity',
  'service_tier',
])
export type Capability = z.infer<typeof Capability>

type Asking = Omit<CompletionRequest, 'model' | 'maxOutputTokens'>

/** What a model must be able to do to answer a request, in a fixed order. */
export function needsOf(request: Asking): Capability[] {
  const { tools = [], reasoning, responseFormat, choices = 1 } = request
  const inMessages = needsOfMessages(request.messages)
  const asked: Record<Capability, boolean> = {
    tools: tools.length > 0 || inMessages.has('tools'),
    custom_tools: tools.some(({ kind }) => kind === 'custom') || inMessages.has('custom_tools'),
    vision: inMessages.has('vision'),
    audio: inMessages.has('audio'),
    files: inMessages.has('files'),
    json_object: responseFormat?.type === 'json_object',
    json_schema: responseFormat?.type === 'json_schema',
    // Whoever asks for none gets it from every model that does not reason.
    reasoning: reasoning !== undefined && !isUnwanted(reasoning),
    logprobs: request.logprobs !== undefined,
    choices: choices > 1,
    seed: request.seed !== undefined,
    penalties: Boolean(request.frequencyPenalty) || Boolean(request.presencePenalty),
    logit_bias: Object.keys(request.logitBias ?? {}).length > 0,
    top_k: request.topK !== undefined,
    verbosity: request.verbosity !== undefined,
    service_tier: request.serviceTier !== undefined && request.serviceTier !== 'default',
  }
  return Capability.options.filter((capability) => asked[capability])
}

const isUnwanted = ({ effort, thinking }: NonNullable<CompletionRequest['reasoning']>): boolean =>
  (effort === undefined || effort === 'none') && (thinking === undefined || thinking.type === 'disabled')

function needsOfMessages(messages: readonly Message[]): Set<Capability> {
  const needs = new Set<Capability>()
  for (const message of messages) {
    if (message.role === 'tool') needs.add('tools')
    if (typeof message.content === 'string') continue
    for (const part of message.content) {
      if (part.type === 'image') needs.add('vision')
      else if (part.type === 'audio') needs.add('audio')
      else if (part.type === 'file') needs.add('files')
      else if (part.type === 'tool_call') needs.add(part.kind === 'custom' ? 'custom_tools' : 'tools')
    }
  }
  return needs
}

/** How many images a request shows. */
export function imagesIn({ messages }: Pick<CompletionRequest, 'messages'>): number {
  let images = 0
  for (const { content } of messages) {
    if (typeof content === 'string') continue
    for (const part of content) if (part.type === 'image') images += 1
  }
  return images
}
