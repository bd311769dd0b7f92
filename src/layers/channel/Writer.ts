/**
 * The way out: outbox → the one socket that may write (law one-socket), one write to the network per turn of the event
 * loop. The first frames after a pause go at once, because somebody is waiting for the first word of an answer.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { ConnectionError, FrameTooLarge } from "../../services/channel/Connection.ts"
import { byteLength, Outbox } from "./Outbox.ts"
import type { Socket, SocketDriver } from "./SocketDriver.ts"

export interface WriterOptions {
  readonly maxFrameBytes: number
  readonly outboxBytes: number
  /** The socket gets no more frames while so many bytes wait in it. */
  readonly socketBytes: number
}

export class Writer {
  readonly outbox: Outbox
  readonly #options: WriterOptions
  readonly #defer: SocketDriver["defer"]
  /** One at most. */
  #socket: Socket | undefined
  /** Frames have gone out in this turn; what follows waits for the turn's end. */
  #turnOpen = false
  /** The socket is full; `drained` goes on. */
  #saturated = false
  #flushing = false
  /** Why nothing can be sent: closed, or blocked until a person helps. */
  #refusal: ConnectionError | undefined
  /** Senders in line, and how to send them away. */
  #line: Set<(error: ConnectionError) => void> | undefined
  #emptied: Deferred.Deferred<void> | undefined

  constructor(options: WriterOptions, defer: SocketDriver["defer"]) {
    this.#options = options
    this.#defer = defer
    this.outbox = new Outbox(options.outboxBytes)
  }

  /** From now on frames go to this socket and to no other. */
  attach(socket: Socket): void {
    this.#socket = socket
    this.#saturated = false
    this.#kick()
  }

  detach(): void {
    this.#socket = undefined
    this.#saturated = false
    this.#tellEmptied()
  }

  /** Sends everyone in line away and lets nobody in; what is in the outbox stays. */
  refuse(error: ConnectionError): void {
    this.#refusal = error
    const line = this.#line
    this.#line = undefined
    this.outbox.dismiss()
    for (const reject of line ?? []) reject(error)
  }

  allow(): void {
    this.#refusal = undefined
  }

  drained(): void {
    if (this.#saturated && this.#flush() && !this.#turnOpen) this.#openTurn()
  }

  /** Waits until the outbox is empty or there is no socket any more. */
  get emptied(): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.#socket === undefined || this.outbox.isEmpty) return Effect.void
      const emptied = (this.#emptied ??= Deferred.makeUnsafe<void>())
      this.#flush()
      return Deferred.await(emptied)
    })
  }

  /** The arrays are kept until their frames are written: do not change them afterwards. */
  readonly send = (frames: ReadonlyArray<string>): Effect.Effect<void, ConnectionError> =>
    Effect.suspend(() => {
      if (this.#refusal !== undefined) return Effect.fail(this.#refusal)
      const limit = this.#options.maxFrameBytes
      let bytes = 0
      for (let i = 0; i < frames.length; i++) {
        const size = byteLength(frames[i]!)
        if (size > limit) {
          return Effect.fail(new ConnectionError({ reason: new FrameTooLarge({ bytes: size, limit }) }))
        }
        bytes += size
      }
      if (!this.outbox.offer(frames, bytes)) return this.#stand(frames)
      this.#kick()
      return Effect.void
    })

  #stand(frames: ReadonlyArray<string>): Effect.Effect<void, ConnectionError> {
    return Effect.callback((resume) => {
      const reject = (error: ConnectionError) => resume(Effect.fail(error))
      // Closed since `send` looked: between two operations a fiber may be made to wait.
      if (this.#refusal !== undefined) return reject(this.#refusal)
      ;(this.#line ??= new Set()).add(reject)
      const leave = this.outbox.wait(frames, () => {
        this.#line?.delete(reject)
        resume(Effect.void)
      })
      this.#kick()
      return Effect.sync(() => {
        this.#line?.delete(reject)
        leave()
      })
    })
  }

  #kick(): void {
    if (this.#turnOpen || this.#saturated || this.#socket === undefined) return
    this.#openTurn()
    this.#flush()
  }

  #openTurn(): void {
    this.#turnOpen = true
    this.#defer(this.#endTurn)
  }

  readonly #endTurn = (): void => {
    this.#turnOpen = false
    // As long as turns bring frames, one write at the end of each.
    if (this.#flush()) this.#openTurn()
  }

  /** Hands over what the socket takes. While it is at it, whoever sends again only adds to the outbox. */
  #flush(): boolean {
    if (this.#flushing) return false
    this.#flushing = true
    let wrote = false
    while (this.#socket !== undefined && !this.outbox.isEmpty) {
      const room = this.#options.socketBytes - this.#socket.bufferedBytes()
      if (room <= 0) break
      this.#socket.send(this.outbox.take(room))
      wrote = true
      this.outbox.admit()
    }
    this.#flushing = false
    this.#saturated = this.#socket !== undefined && !this.outbox.isEmpty
    if (this.outbox.isEmpty) this.#tellEmptied()
    return wrote
  }

  #tellEmptied(): void {
    if (this.#emptied === undefined) return
    Deferred.doneUnsafe(this.#emptied, Exit.void)
    this.#emptied = undefined
  }
}
