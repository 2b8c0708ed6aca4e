import { expect, test, vi } from 'vitest'
import { createPresence, sayPresent } from './presence.ts'
import { relayFixture } from './testing/relay-fixture.ts'

/** Presence as one worker sees it, whose clock the test moves. */
async function presenceFixture() {
  const fixture = await relayFixture()
  let now = 1_000
  const presence = createPresence(fixture.redis, () => now)
  return {
    ...fixture,
    ...presence,
    channelOf: (replica: string) => fixture.keys.replyChannelOf(replica),
    pass: (ms: number) => void (now += ms),
    /** A replica that says that it is there, and has been heard once. */
    async present(replica: string) {
      const channel = fixture.keys.replyChannelOf(replica)
      const saying = sayPresent(fixture.redis, channel, () => {})
      await vi.waitFor(async () => expect(await fixture.redis.exists(`${channel}:present`)).toBe(1))
      return { channel, [Symbol.asyncDispose]: () => saying[Symbol.asyncDispose]() }
    },
    die: (channel: string) => fixture.redis.del(`${channel}:present`),
  }
}

test('a replica that says that it is there may hear', async () => {
  await using fixture = await presenceFixture()
  await using replica = await fixture.present('alive')

  for (let look = 0; look < 3; look++) {
    await fixture.look([replica.channel])
    expect(fixture.mayHear([replica.channel])).toBe(true)
    fixture.pass(60_000)
  }
})

test('what a replica says lapses by itself, seconds after its last word', async () => {
  await using fixture = await presenceFixture()
  await using replica = await fixture.present('mortal')

  const left = await fixture.redis.pttl(`${replica.channel}:present`)

  expect(left).toBeGreaterThan(0)
  expect(left).toBeLessThanOrEqual(6_000)
})

test('a replica that nobody has looked for may hear', async () => {
  await using fixture = await presenceFixture()

  expect(fixture.mayHear([fixture.channelOf('unknown')])).toBe(true)
})

test('a replica is given up once every look of five seconds has missed it', async () => {
  await using fixture = await presenceFixture()
  const channel = fixture.channelOf('dead')
  const heard: boolean[] = []

  for (let look = 0; look < 7; look++) {
    await fixture.look([channel])
    heard.push(fixture.mayHear([channel]))
    fixture.pass(1_000)
  }

  expect(heard).toEqual([true, true, true, true, true, false, false])
})

test('a replica whose word Redis had lost is not given up once it has said it again', async () => {
  await using fixture = await presenceFixture()
  const channel = fixture.channelOf('forgotten')
  await fixture.look([channel])
  fixture.pass(4_000)
  await using replica = await fixture.present('forgotten')
  await fixture.look([replica.channel])
  await fixture.die(channel)
  fixture.pass(4_000)
  await fixture.look([channel])

  expect(fixture.mayHear([channel])).toBe(true)
})

test('somebody may hear as long as one of the replicas may', async () => {
  await using fixture = await presenceFixture()
  await using replica = await fixture.present('alive')
  const dead = fixture.channelOf('dead')
  await fixture.look([dead, replica.channel])
  fixture.pass(5_000)
  await fixture.look([dead, replica.channel])

  expect(fixture.mayHear([dead])).toBe(false)
  expect(fixture.mayHear([dead, replica.channel])).toBe(true)
  expect(fixture.mayHear([])).toBe(false)
})

test('a replica that was missed is looked for again with every other', async () => {
  await using fixture = await presenceFixture()
  const back = fixture.channelOf('back')
  await fixture.look([back])
  await using _replica = await fixture.present('back')

  await fixture.look([])
  fixture.pass(60_000)

  expect(fixture.mayHear([back])).toBe(true)
})

test('a hundred dead replicas are remembered, and no more', async () => {
  await using fixture = await presenceFixture()
  const dead = Array.from({ length: 150 }, (_, i) => fixture.channelOf(`dead-${i}`))
  await fixture.look(dead)
  fixture.pass(5_000)

  expect(dead.filter((channel) => !fixture.mayHear([channel]))).toHaveLength(100)
})

test('a replica that was stopped says nothing more, and is soon missed', async () => {
  await using fixture = await presenceFixture()
  const replica = await fixture.present('stopping')

  await replica[Symbol.asyncDispose]()
  await fixture.die(replica.channel)
  await fixture.look([replica.channel])
  fixture.pass(5_000)

  expect(fixture.mayHear([replica.channel])).toBe(false)
})
