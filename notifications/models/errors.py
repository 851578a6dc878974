"""The root of Limbo's exceptions; each room defines its own below it.

LimboError
├── models.lease.LeaseLostError               another worker may hold the message now
├── delivery.providers.ConfigurationError     an operator's setting cannot be used
├── delivery.journal.JournalError              the journal cannot be written: nothing is sent
├── history.feed.UnknownPositionError         a reader is ahead of everything that has happened
├── intake.errors.RefusedRequestError         the caller's request is not taken
│   ├── InvalidRequestError                   it breaks a rule
│   └── ImpossibleRequestError                it is well formed, but not possible now
├── intake.errors.NameTakenError              the owner has another template of this name
├── intake.errors.IdempotencyConflictError    the key was used for another request
├── webhooks.errors.EndpointError             an endpoint cannot be as it was asked for
├── webhooks.errors.ForbiddenAddressError     a webhook leads into a private network
├── webhooks.errors.SecretLostError           a webhook's secret cannot be decrypted
└── queue.owner_choices.IllegalChoiceError    the message's state forbids it
"""


class LimboError(Exception):
    """Anything that Limbo itself raises."""
