import { rm } from 'node:fs/promises'
import { openRedis } from '@weir/local'
import { openTempDir } from '@weir/local/testing'

export type OwnRedis = AsyncDisposable & {
  url: string
  /** Ends the server, which has its append-only file flushed. */
  stop(): Promise<void>
  /** The server is back at its old address, with what it knew or, `empty`, with nothing. */
  start(how: 'with its data' | 'empty'): Promise<void>
}

/** A Redis for one test alone, which may do to it what it likes. */
export async function openOwnRedis(): Promise<OwnRedis> {
  const { path: dir, [Symbol.asyncDispose]: removeDir } = await openTempDir()
  let server = await openRedis({ dir })
  const { url } = server
  const stop = async () => server[Symbol.asyncDispose]()
  return {
    url,
    stop,
    async start(how) {
      if (how === 'empty') await rm(`${dir}/appendonlydir`, { recursive: true, force: true })
      server = await openRedis({ dir })
      if (server.url !== url) throw new Error('Somebody took the port of the test’s own Redis while it was down')
    },
    async [Symbol.asyncDispose]() {
      await stop()
      await removeDir()
    },
  }
}
