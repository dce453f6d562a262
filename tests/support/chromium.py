"""A headless Chromium, driven over the pipe of its DevTools protocol; no server, no network."""

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import subprocess
import time

EXECUTABLE = shutil.which('chromium') or shutil.which('chromium-browser') or shutil.which('google-chrome')
FLAGS = (
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-dev-shm-usage',
    '--no-first-run',
    '--host-resolver-rules=MAP * ~NOTFOUND',
    '--remote-debugging-pipe',
)
SECONDS = 60


class Page:
    """A tab."""

    def __init__(self, to_browser, from_browser):
        self._to_browser, self._from_browser = to_browser, from_browser
        self._read = b''
        self._number = 0
        self._session = {}
        target = self.call('Target.createTarget', url='about:blank')['targetId']
        self._session = {'sessionId': self.call('Target.attachToTarget', targetId=target, flatten=True)['sessionId']}

    def call(self, method, **parameters):
        """Calls a method of the protocol, and returns its result."""
        self._number += 1
        message = {'id': self._number, 'method': method, 'params': parameters, **self._session}
        os.write(self._to_browser, json.dumps(message).encode() + b'\0')
        deadline = time.monotonic() + SECONDS
        while True:
            while b'\0' not in self._read:
                assert select.select([self._from_browser], [], [], deadline - time.monotonic())[0], method
                piece = os.read(self._from_browser, 1 << 16)
                assert piece, 'the browser has ended'
                self._read += piece
            line, _, self._read = self._read.partition(b'\0')
            answer = json.loads(line)
            if answer.get('id') == self._number:
                assert 'error' not in answer, answer
                return answer['result']

    def evaluate(self, script):
        """The value of a JavaScript expression."""
        result = self.call('Runtime.evaluate', expression=script, returnByValue=True, awaitPromise=True)
        assert 'exceptionDetails' not in result, result
        return result['result'].get('value')

    def wait_for(self, script):
        """Waits until a JavaScript expression is true."""
        deadline = time.monotonic() + SECONDS
        while not self.evaluate(script):
            assert time.monotonic() < deadline, script
            time.sleep(0.05)

    def open(self, path):
        """Opens a file, and waits until it and its images are loaded."""
        self.call('Page.navigate', url=path.as_uri())
        self.wait_for(f'location.href === {json.dumps(path.as_uri())} && document.readyState === "complete"')

    def press(self, *keys):
        """Presses keys as a person does: characters, or names such as Enter."""
        codes = {'Enter': 13, 'Backspace': 8, 'ArrowLeft': 37, 'ArrowRight': 39, 'Tab': 9, ' ': 32}
        for key in keys:
            text = {'text': '\r' if key == 'Enter' else key} if len(key) == 1 or key == 'Enter' else {}
            code = codes.get(key, ord(key[0].upper()))
            common = {'key': key, 'windowsVirtualKeyCode': code}
            self.call('Input.dispatchKeyEvent', type='keyDown', **common, **text)
            self.call('Input.dispatchKeyEvent', type='keyUp', **common)

    def screenshot(self, path):
        """Writes what the page looks like as a PNG file."""
        path.write_bytes(base64.b64decode(self.call('Page.captureScreenshot', format='png')['data']))


@contextlib.contextmanager
def chromium(profile, downloads):
    """A tab of a browser with an empty profile; ended afterwards."""
    (read_commands, write_commands), (read_answers, write_answers) = os.pipe(), os.pipe()
    # Numbers above 9, so that neither is 3 or 4, which the browser reads and writes.
    theirs = [fcntl.fcntl(each, fcntl.F_DUPFD, 10) for each in (read_commands, write_answers)]
    os.close(read_commands)
    os.close(write_answers)
    shell = f'exec "$@" 3<&{theirs[0]} 4>&{theirs[1]}'
    command = ['bash', '-c', shell, 'bash', EXECUTABLE, *FLAGS, f'--user-data-dir={profile}', 'about:blank']
    process = subprocess.Popen(command, pass_fds=theirs, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for each in theirs:
        os.close(each)
    try:
        page = Page(write_commands, read_answers)
        page.call('Browser.setDownloadBehavior', behavior='allow', downloadPath=str(downloads))
        yield page
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(write_commands)
        os.close(read_answers)
