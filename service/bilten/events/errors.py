"""The refusals of this domain, in the contract's own words."""

from bilten.web.errors import Conflict, Detail, Forbidden, NotFound, UnprocessableEntity, ValidationFailed


class EventNotFound(NotFound):
    """There is no such event, or none this caller may know of."""

    message = "Event not found"


class NotYourEvent(Forbidden):
    """The event is another organizer's."""

    message = "Only the organizer of this event may change it"


class InvalidTransition(Conflict):
    """The status does not lead there."""

    code = "INVALID_TRANSITION"
    message = "An event goes from draft to published, and from there to completed or cancelled"


class EventIncomplete(UnprocessableEntity):
    """A draft lacks what a published event must say."""

    code = "EVENT_INCOMPLETE"
    message = "Write a description before you publish the event"


class CapacityBelowSold(UnprocessableEntity):
    """More tickets are sold or reserved than the new capacity holds."""

    code = "CAPACITY_BELOW_SOLD"
    message = "More tickets are sold or reserved than that"


class RuleBroken(UnprocessableEntity):
    """The database refused what the code let through."""

    code = "EVENT_RULE"
    message = "These values do not go together. Check dates, price and capacity."


def wrong(field: str, code: str, message: str) -> ValidationFailed:
    """400 for one field."""
    detail: Detail = {"field": field, "code": code, "message": message}
    return ValidationFailed(details=[detail])
