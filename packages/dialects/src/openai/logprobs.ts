import type { TokenLogprob } from '@weir/contracts'
import { type Fields, fieldsOf, listOf } from '../fields.ts'

/** What `logprobs` of a choice tells of its text; what it tells of a refusal has no canonical form. */
export function readLogprobs(value: unknown): TokenLogprob[] {
  const tokens: TokenLogprob[] = []
  for (const each of listOf(fieldsOf(value)?.['content'])) {
    const fields = fieldsOf(each)
    const token = likelyIn(fields)
    if (!token) continue
    const top = listOf(fields?.['top_logprobs']).map((other) => likelyIn(fieldsOf(other)))
    tokens.push({ ...token, top: top.filter((other) => other !== undefined) })
  }
  return tokens
}

function likelyIn(fields: Fields | undefined) {
  const token = fields?.['token']
  const logprob = fields?.['logprob']
  if (typeof token !== 'string' || typeof logprob !== 'number' || !Number.isFinite(logprob)) return undefined
  const bytes = fields?.['bytes']
  const isBytes = Array.isArray(bytes) && bytes.every((byte) => Number.isInteger(byte) && byte >= 0 && byte <= 255)
  return { token, logprob, bytes: isBytes ? (bytes as number[]) : null }
}

export const renderLogprobs = (tokens: readonly TokenLogprob[]) =>
  tokens.length === 0
    ? null
    : { content: tokens.map(({ top, ...token }) => ({ ...token, top_logprobs: top })), refusal: null }
