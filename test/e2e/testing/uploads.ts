import { once } from 'node:events'
import { type ClientRequest, request } from 'node:http'

const boundary = 'the-boundary-of-this-test'

type Part = { name: string; value: string | Buffer; filename?: string; type?: string }

/** A form as some client would write it, its parts in the order in which they are given. */
export function formOf(...parts: Part[]): Buffer {
  return Buffer.concat([...parts.flatMap((part) => [headOf(part), Buffer.from(part.value), Buffer.from('\r\n')]), tail])
}

const tail = Buffer.from(`--${boundary}--\r\n`)

function headOf({ name, filename, type }: Part): Buffer {
  const lines = [
    `--${boundary}`,
    `Content-Disposition: form-data; name="${name}"${filename === undefined ? '' : `; filename="${filename}"`}`,
    ...(type === undefined ? [] : [`Content-Type: ${type}`]),
  ]
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`)
}

export const formType = `multipart/form-data; boundary=${boundary}`

/** Sends a form as it is. */
export const sendForm = (url: string, apiKey: string, form: Buffer, contentType = formType): Promise<Response> =>
  fetch(`${url}/v1/files`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': contentType },
    body: form as Uint8Array<ArrayBuffer>,
  })

export type SlowUpload = {
  /** Sends more of the file, and waits until the network has taken it. */
  send(bytes: Buffer): Promise<void>
  end(): void
  /** Goes away without a word. */
  abort(): void
  answer: Promise<{ status: number | undefined; body: string }>
}

/** An upload that goes on as the test says. */
export function beginUpload(url: string, apiKey: string): SlowUpload {
  const asked = request(`${url}/v1/files`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': formType },
  })
  const answer = answerOf(asked)
  // Whoever aborts does not wait for an answer.
  answer.catch(() => {})
  const send = async (bytes: Buffer) => {
    if (!asked.write(bytes)) await Promise.race([once(asked, 'drain'), answer])
  }
  void send(headOf({ name: 'purpose', value: 'batch' }))
  void send(Buffer.from('batch\r\n'))
  void send(headOf({ name: 'file', value: '', filename: 'slow.jsonl', type: 'application/octet-stream' }))
  return {
    send,
    end: () => void asked.end(Buffer.concat([Buffer.from('\r\n'), tail])),
    abort: () => void asked.destroy(),
    answer,
  }
}

async function answerOf(asked: ClientRequest): Promise<{ status: number | undefined; body: string }> {
  const [response] = await once(asked, 'response')
  // A connection that breaks once it has its answer has said all.
  asked.on('error', () => {})
  let body = ''
  for await (const piece of response) body += piece
  return { status: response.statusCode, body }
}
