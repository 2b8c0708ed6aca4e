import { openWeir } from '@weir/local/testing'
import { expect, test } from 'vitest'

const unreachable = 'redis://127.0.0.1:1'

test('a process that starts while Redis or Postgres is away ends with a line in its log that says why', async () => {
  await using weir = await openWeir({ workers: 0 })
  const databaseAway = weir.databaseUrl.replace(/@[^/]+/, '@127.0.0.1:1')

  const lines = await Promise.all([
    fatalLineOf(weir.startWorker({ REDIS_URL: unreachable })),
    fatalLineOf(weir.startApi({ REDIS_URL: unreachable })),
    fatalLineOf(weir.startApi({ DATABASE_URL: databaseAway })),
    fatalLineOf(weir.startApi({ PORT: new URL(weir.url).port })),
  ])

  expect(lines).toMatchObject([
    { name: 'worker', level: 60, msg: 'the process ends', err: { message: expect.stringContaining('closed') } },
    { name: 'api', level: 60, msg: 'the process ends', err: { message: expect.stringContaining('closed') } },
    { name: 'api', level: 60, msg: 'the process ends', err: { message: expect.stringContaining('ECONNREFUSED') } },
    { name: 'api', level: 60, msg: 'the process ends', err: { message: expect.stringContaining('EADDRINUSE') } },
  ])
})

/** Of a process that does not start: a line of its log, not the stack of an error that nobody caught. */
async function fatalLineOf(starting: Promise<unknown>): Promise<unknown> {
  const { message } = await starting.then(
    () => new Error('it started'),
    (error: Error) => error,
  )
  const [, ...lines] = message.trimEnd().split('\n')
  return lines.map((line) => JSON.parse(line)).find(({ level }) => level === 60)
}
