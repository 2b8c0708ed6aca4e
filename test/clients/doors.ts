import { once } from 'node:events'
import { Agent, type IncomingMessage, type ServerResponse, createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Try = { status: number; headers: Record<string, string | string[] | undefined> }

export type Door = {
  /** The origin that a client of this door is given. */
  url: string
  /** Every try that came through it and was answered, or broken off with status 0. */
  tries: Try[]
}

type Way = {
  /** Sent along with every request. */
  headers?: Record<string, string>
  /** Answers in the place of Weir. */
  answer?: { status: number; body: object }
}

export type Doors = AsyncDisposable & { open(way?: Way): Door }

/** A proxy before the API that understands nothing of what it carries, with a door of its own for every call to count its tries. */
export async function openDoors(target: string): Promise<Doors> {
  const ways = new Map<string, { way: Way; door: Door }>()
  const agent = new Agent({ keepAlive: true })
  const server = createServer((request, response) => {
    const [, number = '', path = ''] = /^\/(\d+)(\/.*)$/.exec(request.url ?? '') ?? []
    const known = ways.get(number)
    if (!known) return void response.writeHead(404).end()
    const { door, way } = known
    const one: Try = { status: 0, headers: {} }
    door.tries.push(one)
    if (way.answer) answerFor(way.answer, one, request, response)
    else carry({ to: new URL(path, target), agent, way, one }, request, response)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  return {
    open(way = {}) {
      const number = String(ways.size + 1)
      const door: Door = { url: `${origin}/${number}`, tries: [] }
      ways.set(number, { way, door })
      return door
    },
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      agent.destroy()
    },
  }
}

function answerFor(
  { status, body }: NonNullable<Way['answer']>,
  one: Try,
  request: IncomingMessage,
  response: ServerResponse,
) {
  one.status = status
  request.resume()
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

type Carriage = { to: URL; agent: Agent; way: Way; one: Try }

function carry({ to, agent, way, one }: Carriage, request: IncomingMessage, response: ServerResponse) {
  const { method } = request
  const headers = { ...request.headers, ...way.headers, host: to.host }
  const forward = httpRequest(to, { method, headers, agent } as object, (answer) => {
    one.status = answer.statusCode ?? 0
    one.headers = answer.headers
    response.writeHead(one.status, answer.headers)
    response.flushHeaders()
    answer.pipe(response)
    // An answer that breaks off breaks off here too.
    answer.on('error', () => response.destroy())
  })
  forward.on('error', () => response.destroy())
  request.pipe(forward)
  response.once('close', () => {
    if (!response.writableFinished) forward.destroy()
  })
}
