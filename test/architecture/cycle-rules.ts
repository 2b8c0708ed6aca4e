import { type House, targetOf, type Violation } from './house.ts'

type Step = { file: string; line: number }

/** Files that import one another in a circle, by the shortest way round; type imports count. A file is told of once. */
export function cycleViolations(house: House): Violation[] {
  const steps = stepsOf(house)
  const told = new Set<string>()
  const violations: Violation[] = []
  for (const { path } of house.sources) {
    if (told.has(path)) continue
    const circle = shortestCircle(steps, path)
    if (!circle) continue
    for (const { file } of circle) told.add(file)
    const way = [...circle.slice(1).map(({ file }) => file), path]
    const what = `imports ${way.join(', which imports ')}`
    violations.push({ file: path, line: circle[1]?.line ?? circle[0]?.line ?? 1, what, rule: 'imports form no circle' })
  }
  return violations
}

function stepsOf(house: House): Map<string, Step[]> {
  return new Map(
    house.sources.map(({ path, imports }) => [
      path,
      imports.flatMap(({ line, specifier }) => {
        const file = targetOf(house, path, specifier)
        return file ? [{ file, line }] : []
      }),
    ]),
  )
}

/** The files of the shortest way from a file back to it, which comes first; lines are those of the import before. */
function shortestCircle(steps: ReadonlyMap<string, Step[]>, start: string): Step[] | undefined {
  const seen = new Set<string>()
  let ways: Step[][] = [[{ file: start, line: 1 }]]
  while (ways.length > 0) {
    const longer: Step[][] = []
    for (const way of ways) {
      for (const step of steps.get(way.at(-1)?.file ?? '') ?? []) {
        if (step.file === start) return way.length === 1 ? [step] : way
        if (seen.has(step.file)) continue
        seen.add(step.file)
        longer.push([...way, step])
      }
    }
    ways = longer
  }
  return undefined
}
