/** What whoever runs the demo can mend. The message is all that is shown of it, so it says what to do. */
export class DemoFailure extends Error {
  override readonly name = 'DemoFailure'
}
