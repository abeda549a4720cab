export const viewport = { width: 'device-width', initialScale: 1, colorScheme: 'light dark' };

export default function Layout({ children }) {
  return (
    <html lang="en">
      <body className="viewer">
        <div className="viewer-page" id="page">
          {children}
        </div>
      </body>
    </html>
  );
}
