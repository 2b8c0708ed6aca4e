import { Webhook } from 'standardwebhooks'
import { expect, test } from 'vitest'
import { messageOf } from './message.ts'

const event = { id: 'evt_1', type: 'batch.completed', subject: 'batch_1', createdAt: new Date(1_700_000_000_999) }
const [one, two] = ['one', 'two'].map((text) => `whsec_${Buffer.from(text.repeat(10)).toString('base64')}`) as [
  string,
  string,
]

test('an event is told in the shape of OpenAI’s, with when it happened in whole seconds', () => {
  const { body, headers } = messageOf(event, [one], new Date())

  expect(body).toBe(
    '{"id":"evt_1","object":"event","created_at":1700000000,"type":"batch.completed","data":{"id":"batch_1"}}',
  )
  expect(headers).toMatchObject({ 'content-type': 'application/json', 'webhook-id': 'evt_1' })
})

test('one that is only a test says so, where it is signed', () => {
  const { body } = messageOf({ ...event, isTest: true }, [one], new Date())

  expect(JSON.parse(body)).toMatchObject({ type: 'batch.completed', test: true })
})

test('it is signed for the time of this try, with every secret', () => {
  const at = new Date()
  const { body, headers } = messageOf(event, [one, two], at)

  expect(headers['webhook-timestamp']).toBe(String(Math.floor(at.getTime() / 1_000)))
  expect(headers['webhook-signature']).toMatch(/^v1,[^ ]+ v1,[^ ]+$/)
  for (const secret of [one, two]) expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(body))
  expect(() => new Webhook(one).verify(body.replace('batch_1', 'batch_2'), headers)).toThrow('No matching signature')
})
