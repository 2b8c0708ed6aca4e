import { expect, test } from 'vitest'
import { isAlive } from '../processes.ts'
import { openWeir } from './weir.ts'

test('a Weir of real processes serves the account that was made for a test, and leaves nothing behind', async () => {
  const weir = await openWeir({ apis: 2 })
  try {
    const { apiKey } = await weir.createAccount({ credits: 5 })

    const answers = await Promise.all(weir.urls.map((url) => get(`${url}/v1/credits`, apiKey)))

    expect(answers).toEqual([200, 200])
  } finally {
    await weir[Symbol.asyncDispose]()
  }
  expect([...weir.apis, ...weir.workers].map(({ pid }) => isAlive(pid))).toEqual([false, false, false])
})

async function get(url: string, key: string): Promise<number> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${key}` } })
  await response.body?.cancel()
  return response.status
}
