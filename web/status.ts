type State = 'busy' | 'good' | 'bad' | 'over';

/** Says in the page's bar how it stands. */
export function showStatus(state: State, text: string): void {
  const place = document.querySelector<HTMLElement>('#status');
  if (!place) return;
  place.dataset.state = state;
  place.textContent = text;
}
