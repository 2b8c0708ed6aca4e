/**
 * Names of a lane in Redis. The braces keep all keys of a lane in one slot of a cluster, as BullMQ's scripts need.
 */
export function laneKeys(prefix: string) {
  const lane = `{${prefix}:lanes}`
  return { queue: 'interactive', prefix: lane, waiting: `${lane}:interactive:wait`, workers: `${lane}:workers` }
}
