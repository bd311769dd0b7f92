/**
 * A fault that comes up when a field is left pushes what is below it down: a button that the person is just pressing
 * would slip away under the pointer. So it comes when the press is over.
 */
export const afterPress = (run: () => void): void => void setTimeout(run, 200)
