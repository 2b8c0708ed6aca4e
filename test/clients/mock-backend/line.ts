import type { ServerResponse } from 'node:http'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'

/** How events travel: whole, or in any of the ways that a server, or what is between, may tear or dress them. */
export type Line = {
  /** Sends these events one after another. False once the other side has gone. */
  send(events: readonly string[]): Promise<boolean>
  end(): void
  /** Breaks the connection, as a crash does. */
  tear(): void
  pause(ms: number): Promise<void>
  readonly isOpen: boolean
}

export type Dress = 'plain' | 'crlf' | 'comments' | 'bytewise'

export function openLine(response: ServerResponse, dress: Dress): Line {
  response.socket?.setNoDelay(true)
  let isOpen = true
  response.once('close', () => (isOpen = false))
  const begin = () => {
    if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
    response.flushHeaders()
  }
  return {
    async send(events) {
      begin()
      for (const event of events) {
        for (const bytes of piecesOf(event, dress)) {
          if (!isOpen) return false
          response.write(bytes)
          // A turn of the loop lets each piece leave by itself.
          await setImmediate()
        }
      }
      return isOpen
    },
    end: () => void response.end(),
    tear: () => void response.destroy(),
    pause: (ms) => sleep(ms),
    get isOpen() {
      return isOpen
    },
  }
}

function piecesOf(event: string, dress: Dress): Uint8Array[] {
  if (dress === 'crlf') return [Buffer.from(event.replaceAll('\n', '\r\n'))]
  if (dress === 'comments') return [Buffer.from(`: keep-alive\n\n:\n\nretry: 3000\n\n${event}`)]
  if (dress === 'plain') return [Buffer.from(event)]
  const bytes = Buffer.from(event)
  return Array.from(bytes, (_, at) => bytes.subarray(at, at + 1))
}
