import { type Dialect, anthropic, openai } from '@weir/dialects'
import type { FastifyRequest } from 'fastify'

type Asking = Pick<FastifyRequest, 'url' | 'headers'>

const messagesPath = /^\/v1\/messages(?:[/?]|$)/

/** Whether a request comes from a client of Anthropic's API: its version header tells, or the path that only that API has. */
export const isAnthropic = ({ url, headers }: Asking): boolean =>
  headers['anthropic-version'] !== undefined || messagesPath.test(url)

/** The words in which a request wants its errors, and whatever else both APIs have under one path. */
export const dialectOf = (request: Asking): Dialect => (isAnthropic(request) ? anthropic.dialect : openai.dialect)
