import { type CompletionId, messageIdOf } from '@weir/contracts'
import { type Dialect, anthropic, openai } from '@weir/dialects'
import { ErrorBody } from '../answer-schemas.ts'
import { MessagesErrorBody } from './message-schemas.ts'
import { CompletionObject, MessageObject } from './schemas.ts'

/** The two APIs in which one completion can be asked for, and the shapes in which each tells of it. */
export const chatStyle = {
  path: '/v1/chat/completions',
  dialect: openai.dialect,
  tags: ['completions'],
  shown: CompletionObject,
  error: ErrorBody,
} as const

export const messagesStyle = {
  path: '/v1/messages',
  dialect: anthropic.dialect,
  tags: ['messages'],
  shown: MessageObject,
  error: MessagesErrorBody,
} as const

export const styles = [chatStyle, messagesStyle] as const

/** The id of a completion as the clients of a dialect expect one. Both spellings are understood everywhere. */
export const spelled = (id: CompletionId, { name }: Pick<Dialect, 'name'>): string =>
  name === 'anthropic' ? messageIdOf(id) : id

/** Where a completion is asked for in a dialect. */
export const locationOf = (id: CompletionId, { name }: Pick<Dialect, 'name'>): string =>
  name === 'anthropic' ? `${messagesStyle.path}/${messageIdOf(id)}` : `${chatStyle.path}/${id}`
