import type { Relay } from '@weir/relay'
import { patiently } from '@weir/runtime'

type Steps = Pick<Relay, 'claim' | 'letGo' | 'prepare'>

/**
 * Redis may be away for a moment, or a reply of it lost. An attempt is not given up for that: its claim, its decision and its
 * letting go are repeated, which changes nothing, while another worker may not have the job (`signal`).
 */
export function patientRelay<R extends Steps>(relay: R, patienceMs: number, signal: AbortSignal): R {
  const patient: Steps = {
    claim: (...claim) => patiently(() => relay.claim(...claim), patienceMs, signal),
    letGo: (...record) => patiently(() => relay.letGo(...record), patienceMs, signal),
    prepare: (...decision) => patiently(() => relay.prepare(...decision), patienceMs, signal),
  }
  return { ...relay, ...patient }
}
