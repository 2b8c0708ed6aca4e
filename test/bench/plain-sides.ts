import { fileURLToPath } from 'node:url'
import { spawnApp } from '@weir/local'
import type { Side } from './side.ts'

/** The model server, on a free port; the sides are ways to it. */
export type Mock = AsyncDisposable & { pid: number; origin: string }

export async function openMock(answers: { tokens: number; firstTokenMs: number; tokenMs: number }): Promise<Mock> {
  const { tokens, firstTokenMs, tokenMs } = answers
  const env = { TOKENS: `${tokens}`, FIRST_TOKEN_MS: `${firstTokenMs}`, TOKEN_MS: `${tokenMs}` }
  const app = await spawnApp({ name: 'mock', entry: fileOf('./mock-model-server.ts'), env })
  return { pid: app.pid, origin: originOf(app), [Symbol.asyncDispose]: app.stop }
}

/** The model server asked directly: what client and mock can do at best. */
export function mockSide(mock: Mock): Side {
  return {
    name: 'mock',
    destination: { origins: [mock.origin], headers: {} },
    pids: [mock.pid],
    leansOn: {},
    // The mock is there for the others too; whoever started it ends it.
    [Symbol.asyncDispose]: async () => {},
  }
}

/** The yardstick: see `pass-through.ts`. */
export async function passThroughSide(mock: Mock): Promise<Side> {
  const env = { UPSTREAM: mock.origin }
  const proxy = await spawnApp({ name: 'pass-through', entry: fileOf('./pass-through.ts'), env })
  return {
    name: 'pass-through',
    destination: { origins: [originOf(proxy)], headers: {} },
    pids: [proxy.pid],
    leansOn: {},
    [Symbol.asyncDispose]: proxy.stop,
  }
}

const fileOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

const originOf = ({ port }: { port: number | undefined }): string => `http://127.0.0.1:${port}`
