from symposia.presets.coding._recorded._bundle import BundledName, BundledTask, bundled_task
from symposia.presets.coding._recorded._client import RecordedChatCompletionClient, RecordedReply

__all__ = ["BundledName", "BundledTask", "RecordedChatCompletionClient", "RecordedReply", "bundled_task"]
