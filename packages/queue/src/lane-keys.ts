/** Who waits for a completion: somebody, or a batch. Each has its own waiting room, and workers with slots of its own. */
export type LaneName = 'interactive' | 'batch'

export type LaneKeys = ReturnType<typeof laneKeys>

/**
 * Names of a lane in Redis. The braces keep all keys of a lane in one slot of a cluster, as BullMQ's scripts need.
 */
export function laneKeys(prefix: string, name: LaneName) {
  const lanes = `{${prefix}:lanes}`
  // The interactive lane had no neighbour when its name was chosen.
  const workers = name === 'interactive' ? `${lanes}:workers` : `${lanes}:${name}-workers`
  return { queue: name, prefix: lanes, waiting: `${lanes}:${name}:wait`, workers }
}
