import { isPortFree } from './free-port.ts'

/** Throws, with the way out, if somebody listens on this port of 127.0.0.1. Port 0 stands for any free one. */
export async function refuseTakenPort(port: number): Promise<void> {
  if (port === 0 || (await isPortFree(port))) return
  throw new Error(
    `Port ${port} of 127.0.0.1 is taken by another program. Choose another one: PORT=${port + 1} npm start`,
  )
}
