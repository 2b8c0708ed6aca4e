import { z } from 'zod'

const PROBE_TIMEOUT_MS = 300
const ModelList = z.object({ data: z.array(z.object({ id: z.string() })) })

/** The models that an OpenAI-compatible server at this base URL offers; none when nobody answers at once. */
export type Probe = (baseUrl: string) => Promise<readonly string[]>

/** Asks a server on this machine. Silence, refusal and nonsense all mean that there is none. */
export const probeModels: Probe = async (baseUrl) => {
  try {
    const response = await fetch(`${baseUrl}/models`, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) })
    const list = ModelList.parse(await response.json())
    return list.data.map(({ id }) => id)
  } catch {
    return []
  }
}
