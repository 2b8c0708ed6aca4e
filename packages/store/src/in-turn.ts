export type InTurn = ReturnType<typeof createTurns>

/** Runs so many at once, the others in the order in which they came. */
export function createTurns(most: number) {
  let running = 0
  const waiting: (() => void)[] = []

  return async function inTurn<Result>(act: () => Promise<Result>): Promise<Result> {
    // Whoever ends hands its turn on: nobody who comes meanwhile gets in between.
    if (running === most) await new Promise<void>((resolve) => waiting.push(resolve))
    else running += 1
    try {
      return await act()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else running -= 1
    }
  }
}
