package dev.holdfast.testing;

import java.io.IOException;
import java.io.StringReader;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Document;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;

/** A picture or page as a tree; one that is not well formed is a failure. */
public final class Markup {
    private final Document document;

    private Markup(Document document) {
        this.document = document;
    }

    /** Reads text that must be well-formed XML, as our pages are beside being HTML. */
    public static Markup of(String text) {
        try {
            return new Markup(DocumentBuilderFactory.newInstance()
                    .newDocumentBuilder()
                    .parse(new InputSource(new StringReader(text))));
        } catch (SAXException | IOException | ParserConfigurationException e) {
            throw new AssertionError("expected well-formed XML, got " + e.getMessage() + " in " + text, e);
        }
    }

    /** How many elements of a name there are. */
    public int count(String name) {
        return document.getElementsByTagName(name).getLength();
    }

    /** The text of all elements of a name. */
    public String text(String name) {
        NodeList nodes = document.getElementsByTagName(name);
        StringBuilder text = new StringBuilder();
        IntStream.range(0, nodes.getLength())
                .forEach(i -> text.append(nodes.item(i).getTextContent()).append('\n'));
        return text.toString();
    }

    /** An attribute of the first element with a class. */
    public String attribute(String element, String classPart, String name) {
        NodeList nodes = document.getElementsByTagName(element);
        for (int i = 0; i < nodes.getLength(); i++) {
            var attributes = nodes.item(i).getAttributes();
            if (attributes.getNamedItem("class").getNodeValue().contains(classPart)) {
                return attributes.getNamedItem(name).getNodeValue();
            }
        }
        throw new AssertionError("expected a " + element + " of class " + classPart + ", got none");
    }
}
