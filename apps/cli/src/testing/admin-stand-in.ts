import { once } from 'node:events'
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { run } from '../run.ts'

export type Asked = { route: string; body: unknown; authorization: string | undefined }
/** `breaksOff`: the connection is cut after the body, before the answer has ended. */
export type Answer = { status?: number; body: unknown; breaksOff?: true }

/** A server in the place of the admin API: each route gives its answer, any other a 404. Records what it was asked. */
export async function adminStandIn(answers: Record<string, Answer>) {
  const asked: Asked[] = []
  const server = createServer(async (request, response) => {
    const route = `${request.method} ${request.url?.replace('/admin/v1', '')}`
    asked.push({ route, body: await bodyOf(request), authorization: request.headers.authorization })
    const { status = 200, body, breaksOff } = answers[route] ?? refused(404, `There is nothing at ${route}.`)
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    if (breaksOff) return response.writeHead(status).write(text, () => response.destroy())
    response.writeHead(status).end(text)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  return {
    url,
    asked,
    /** Runs one command against it. */
    weir: (...args: string[]) => weir(['--url', url, '--admin-key', 'secret', ...args]),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await once(server.close(), 'close')
    },
  }
}

export const refused = (status: number, message: string): Answer => ({
  status,
  body: { error: { message, type: 'invalid_request_error', param: null, code: null } },
})

type Environment = { url?: string; adminKey?: string; config?: string; secrets?: Record<string, string> }

/** Runs one command with nothing in the environment, and gives what it printed. */
export async function weir(args: string[], folder = tmpdir(), environment: Environment = {}) {
  let out = ''
  let err = ''
  const exitCode = await run(args, {
    url: environment.url,
    adminKey: environment.adminKey,
    folder,
    config: environment.config,
    secretOf: (name) => environment.secrets?.[name],
    colour: false,
    out: (text) => (out += text),
    pour: async (bytes) => {
      for await (const some of bytes) out += Buffer.from(some).toString()
    },
    err: (text) => (err += text),
  })
  return { exitCode, out, err }
}

/** A checkout in which `npm start` has left its file; gives a folder two levels further down. */
export function checkoutWith(localFile: unknown) {
  const root = mkdtempSync(join(tmpdir(), 'weir-cli-'))
  const folder = join(root, 'docs', 'deeper')
  mkdirSync(folder, { recursive: true })
  mkdirSync(join(root, '.weir'))
  writeFileSync(join(root, '.weir', 'local.json'), JSON.stringify(localFile))
  return { folder, [Symbol.dispose]: () => rmSync(root, { recursive: true }) }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const sent = await text(request)
  return sent === '' ? undefined : JSON.parse(sent)
}
