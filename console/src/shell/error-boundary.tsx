import { Component, type ReactNode } from 'react';
import { Failed } from '../parts/states';

/** A page that fails to load or to show leaves the frame standing, and can be tried again. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state = { error: null as unknown };

  static getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error };
  }

  override render(): ReactNode {
    if (this.state.error === null) return this.props.children;
    // A part of the console that did not arrive is asked for again only by a fresh page.
    return <Failed error={this.state.error} onRetry={() => window.location.reload()} />;
  }
}
