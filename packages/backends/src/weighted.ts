/** All of them in an order of chance: each comes before the others in proportion to its weight. */
export function weighted<T extends { weight?: number }>(all: readonly T[], random: () => number): T[] {
  const left = [...all]
  const drawn: T[] = []
  while (left.length > 0) {
    let at = random() * left.reduce((sum, { weight = 1 }) => sum + weight, 0)
    const index = left.findIndex(({ weight = 1 }) => (at -= weight) < 0)
    drawn.push(...left.splice(index === -1 ? left.length - 1 : index, 1))
  }
  return drawn
}
