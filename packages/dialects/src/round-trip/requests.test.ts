import type { Message, RequestDraft } from '@weir/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as anthropic from '../anthropic/index.ts'
import * as openai from '../openai/index.ts'
import { anyRequest as anyMessages, plainRequest as plainMessages } from './testing/anthropic-requests.ts'
import { anyRequest as anyChat, sharedRequest } from './testing/openai-requests.ts'

const readMessages = (body: unknown) => anthropic.toCanonical(anthropic.MessagesRequest.parse(body))
const readChat = (body: unknown) => openai.toCanonical(openai.ChatCompletionRequest.parse(body))
const wire = (body: unknown) => JSON.parse(JSON.stringify(body))

test('a messages request comes out of canonical words as it went in', () => {
  fc.assert(
    fc.property(plainMessages, (body) => {
      expect(wire(anthropic.fromCanonical(readMessages(body)))).toEqual(body)
    }),
  )
})

test('a messages request of turns in any order is put in order once, and is then a request like any other', () => {
  fc.assert(
    fc.property(anyMessages, (body) => {
      const inOrder = wire(anthropic.fromCanonical(readMessages(body)))
      expect(wire(anthropic.fromCanonical(readMessages(inOrder)))).toEqual(inOrder)
    }),
  )
})

test('a chat request means the same after it has been through canonical words', () => {
  fc.assert(
    fc.property(anyChat, (body) => {
      const request = readChat(body)
      expect(readChat(wire(openai.fromCanonical(request)))).toEqual(request)
    }),
  )
})

test('a chat request that both dialects have words for means the same in the other', () => {
  fc.assert(
    fc.property(sharedRequest, (body) => {
      const request = readChat(body)
      expect(plain(readMessages(wire(anthropic.fromCanonical(request))))).toEqual(plain(request))
    }),
  )
})

test('what has gone from one dialect to the other comes back', () => {
  fc.assert(
    fc.property(sharedRequest, (body) => {
      const request = readMessages(wire(anthropic.fromCanonical(readChat(body))))
      expect(plain(readChat(wire(openai.fromCanonical(request))))).toEqual(plain(request))
    }),
  )
})

/** Without what the two write differently and mean alike: a text as a string or a part, and the name of a schema. */
function plain(request: RequestDraft): RequestDraft {
  const { responseFormat: format, messages, ...rest } = request
  return {
    ...rest,
    messages: messages.map(plainMessage),
    ...(format && { responseFormat: format.type === 'json_schema' ? { ...format, name: 'any' } : format }),
  }
}

function plainMessage(message: Message): Message {
  const { content } = message
  return (typeof content === 'string' ? { ...message, content: [{ type: 'text', text: content }] } : message) as Message
}
