import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

type Line = { name: string; level: number; msg: string; err: { type: string; message: string } }

/** What a process of its own writes to stdout when it runs `code` with a logger `log`. */
async function linesOf(code: string): Promise<Line[]> {
  const logger = new URL('./logger.ts', import.meta.url).href
  const script = `import { createLogger } from '${logger}'; const log = createLogger({ name: 'test', level: 'info', repeatedEveryMs: 100 }); ${code}`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script])
  return stdout
    .trim()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
}

const canary = 'Canary0123456789abcdefCANARY'

test('an error is logged with its type, code, message and stack, below the level nothing is', async () => {
  const lines = await linesOf(`
    log.debug('too quiet')
    log.warn({ err: Object.assign(new TypeError('it failed'), { code: 'E_FAILED', query: 'select 1' }) }, 'a dependency failed')`)

  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatchObject({ name: 'test', level: 40, msg: 'a dependency failed' })
  expect(lines[0]!.err).toEqual({
    type: 'TypeError',
    code: 'E_FAILED',
    message: 'it failed',
    stack: expect.stringContaining('TypeError: it failed'),
  })
})

const secrets = [
  `weir_sk_${canary}`,
  `weir_admin_${canary}`,
  `sk-${canary}`,
  `sk-ant-api03-${canary}`,
  `Bearer ${canary}`,
  `bearer ${canary}`,
  `Bearer head.${canary}.tail`,
  `Bearer abc+/${canary}==`,
]

test('a key never reaches the log, wherever in an error a library has put it', async () => {
  const lines = await linesOf(`for (const [n, secret] of ${JSON.stringify(secrets)}.entries()) {
    const inside = new Error('upstream refused ' + secret)
    log.error({ err: new Error('401 for "' + secret + '" and ' + secret, { cause: inside }) }, 'failed ' + n)
    log.error({ err: new AggregateError([inside], 'all failed') }, 'failed ' + n)
    log.error({ err: Object.assign(new Error('failed'), { headers: { authorization: secret } }) }, 'failed ' + n)
  }`)

  expect(lines.filter(({ err }) => err.message.includes('401 for'))).toHaveLength(secrets.length)
  for (const line of lines) expect(JSON.stringify(line)).not.toContain(canary)
})

test('words that only look a little like keys are left readable', async () => {
  const [line] = await linesOf(`log.error({ err: new Error('task-12345678 of disk-1234567890 failed') }, 'failed')`)
  expect(line!.err.message).toBe('task-12345678 of disk-1234567890 failed')
})

test('what was thrown without being an error is logged too, scrubbed', async () => {
  const lines = await linesOf(`
    for (const err of ['timeout of weir_sk_${canary}', null, 7]) log.error({ err }, 'failed')`)

  expect(lines.map(({ msg }) => msg)).toEqual(['failed', 'failed', 'failed'])
  expect(lines[0]!.err.message).toContain('timeout of weir_sk_…')
  expect(JSON.stringify(lines)).not.toContain(canary)
})

test('the same failure of a thousand completions is two lines: the first one and how often it came again', async () => {
  const lines = await linesOf(`
    for (let n = 0; n < 1_000; n++) {
      const err = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:' + n), { code: 'ECONNREFUSED' })
      log.child({ reqId: 'req_' + n }).warn({ err, completion: n }, 'a dependency failed')
    }
    setTimeout(() => {}, 500)`)

  expect(lines).toMatchObject([{ completion: 0 }, { completion: 999, repeated: 999 }])
})

test('what is told without a failure is never held back', async () => {
  const lines = await linesOf(`for (let n = 0; n < 3; n++) log.warn({ completion: n }, 'reconciled: settled')`)
  expect(lines).toHaveLength(3)
})
