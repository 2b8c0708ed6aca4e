import { once } from 'node:events'
import { type AddressInfo, type Socket, connect, createServer } from 'node:net'
import { type Answer, answerIn } from './answers.ts'

/** When a connection is lost: as soon as the batch has left, or when it was answered and nobody has heard it yet. */
export type Cut = 'sent' | 'answered'

export type Cutter = AsyncDisposable & {
  /** The server's address, with our port for its own. */
  url: string
  /** The answers to all batches so far, in the order they were sent, whether a client heard them or not. */
  answers: Promise<Answer>[]
}

// Frontend/backend protocol: with Sync a client has said all; with ReadyForQuery the server has, and its commit is done.
const sync = Buffer.from([0x53, 0, 0, 0, 4])
const ready = Buffer.from([0x5a, 0, 0, 0, 5, 0x49])

/** Stands between a client and Postgres. Of every batch, `cutAt` says whether it costs the client its connection. */
export async function openCutter(target: string, cutAt: (batch: number) => Cut | undefined): Promise<Cutter> {
  const { hostname, port } = new URL(target)
  const answers: Promise<Answer>[] = []
  const sockets = new Set<Socket>()

  const listener = createServer((client) => {
    const server = connect(Number(port), hostname)
    let batch: { cut: Cut | undefined; heard: Buffer; answer: (answer: Answer) => void } | undefined
    const cut = () => {
      client.resetAndDestroy()
      // Postgres has yet to read what it was sent; what it answers is still read here.
      server.end()
    }

    client.on('data', (bytes) => {
      if (/ledger\.(apply|amend)/.test(bytes.toString('latin1'))) {
        const { promise, resolve } = Promise.withResolvers<Answer>()
        batch = { cut: cutAt(answers.length), heard: Buffer.alloc(0), answer: resolve }
        answers.push(promise)
      }
      server.write(bytes)
      if (batch?.cut === 'sent' && endsWith(bytes, sync)) cut()
    })
    server.on('data', (bytes) => {
      if (!batch?.cut) client.write(bytes)
      if (!batch) return
      batch.heard = Buffer.concat([batch.heard, bytes])
      if (!endsWith(batch.heard, ready)) return
      batch.answer(answerIn(batch.heard))
      if (batch.cut === 'answered') cut()
      batch = undefined
    })
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.once('close', () => {
        sockets.delete(socket)
        if (batch?.cut !== 'sent') other.destroy()
      })
    }
  })
  await once(listener.listen(0, '127.0.0.1'), 'listening')

  const url = new URL(target)
  url.host = `127.0.0.1:${(listener.address() as AddressInfo).port}`
  return {
    url: url.href,
    answers,
    async [Symbol.asyncDispose]() {
      const closed = once(listener, 'close')
      listener.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

const endsWith = (bytes: Buffer, end: Buffer): boolean => bytes.subarray(-end.length).equals(end)
