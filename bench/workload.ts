// The main job, the same for every peer: 2,000 characters of mixed Chinese and English in 100 pieces.
const sentence =
  "好的，我先读三份纪要，再按项目合并。The rollout went from 5 % to 20 %, failures stayed flat; 待办单独列出，周四前交给测试。"

export const text = sentence.repeat(Math.ceil(2_000 / sentence.length)).slice(0, 2_000)

export const pieces: ReadonlyArray<string> = Array.from({ length: 100 }, (_, i) => text.slice(i * 20, i * 20 + 20))

export type Shape = "burst" | "iterator" | "turns"
export const shapes: ReadonlyArray<Shape> = ["burst", "iterator", "turns"]

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** An async iterator that has every piece ready. */
export async function* iterator(): AsyncGenerator<string> {
  for (const piece of pieces) yield piece
}

/** One piece per turn of the event loop. */
export async function* turns(): AsyncGenerator<string> {
  for (const piece of pieces) {
    await turn()
    yield piece
  }
}

/** A model that thinks for a moment and then writes: ten pieces, 2 ms apart. */
export async function* paced(): AsyncGenerator<string> {
  for (const piece of pieces.slice(0, 10)) {
    await wait(2)
    yield piece
  }
}
