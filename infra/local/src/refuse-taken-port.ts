import { isPortFree } from './free-port.ts'

/** Throws, with the way out, if somebody listens on this port of 127.0.0.1. Port 0 stands for any free one. */
export async function refuseTakenPort(port: number): Promise<void> {
  if (!(await isFree(port)))
    throw new Error(`${takenBy(port)} Choose another one: PORT=${port === 65_535 ? 8080 : port + 1} npm start`)
}

/** The same for the ports of metrics, which follow one another. */
export async function refuseTakenMetricsPorts(ports: readonly number[]): Promise<void> {
  for (const port of ports)
    if (!(await isFree(port)))
      throw new Error(`${takenBy(port)} Choose another WEIR_METRICS_PORT; it takes two in a row.`)
}

const isFree = async (port: number): Promise<boolean> => port === 0 || isPortFree(port)

const takenBy = (port: number): string => `Port ${port} of 127.0.0.1 is taken by another program.`
